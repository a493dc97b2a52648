/**
 * Returns a function that shortens the ids of these jobs for people. It returns the beginning of a random id, if no
 * other job's id has the same one, and any other id as it is.
 */
export const shortIds = (jobs: ReadonlyArray<{ readonly id: string }>): (id: string) => string => {
  const beginning = (id: string) => id.slice(0, 8)
  const alike = Map.groupBy(jobs, ({ id }) => beginning(id))
  return (id) => isRandom(id) && alike.get(beginning(id))?.length === 1 ? beginning(id) : id
}

const isRandom = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/.test(id)
