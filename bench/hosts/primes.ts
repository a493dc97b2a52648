const isPrime = (n: number): boolean => {
  for (let by = 2; by * by <= n; by++) if (n % by === 0) return false
  return n > 1
}

/** How many there are up to a number, by trial: work for a core. */
export const countPrimes = (to: number): number => {
  let count = 0
  for (let n = 2; n <= to; n++) if (isPrime(n)) count++
  return count
}
