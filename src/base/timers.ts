/** The longest that a timer of Node's can wait, in milliseconds. */
export const longestMs = 2 ** 31 - 1
