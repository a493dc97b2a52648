/** The argument of a host process whose frames are encrypted. It waits for the secret, which its parent sends. */
export const securedArgument = "secured"
