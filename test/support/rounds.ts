/**
 * How often a stress test repeats its case. `full` holds where the environment says `STRESS=full`; everywhere else, as in CI,
 * a few rounds keep the run short.
 */
export const rounds = (ci: number, full: number): number => process.env.STRESS === "full" ? full : ci
