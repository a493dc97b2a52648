/** Returns how many elements at the beginning of a sorted array meet a condition; those that do stand before those that do not. */
export const countFirst = <A>(sorted: ReadonlyArray<A>, isBefore: (element: A) => boolean): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    // safe: the middle lies within the array
    if (isBefore(sorted[middle] as A)) low = middle + 1
    else high = middle
  }
  return low
}
