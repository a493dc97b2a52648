/**
 * The states of the process of a host, as the process that started it sees it, and every transition between them:
 * `Running ──► Killed ──► Ended`, and `Running ──► Ended`. A transition that does not exist returns the state as it is.
 */
export type HostProcessState =
  | { readonly _tag: "Running" }
  /** It is being killed with its group: nothing in that counts as left over. */
  | { readonly _tag: "Killed" }
  /** It has ended by itself or by a kill; `leftover` names what it had started and did not end. */
  | { readonly _tag: "Ended"; readonly leftover: string | undefined }

export const running: HostProcessState = { _tag: "Running" }

/** A kill begins. */
export const killed = (state: HostProcessState): HostProcessState =>
  state._tag === "Running" ? { _tag: "Killed" } : state

/** The process has ended. `rest` names what of its group is still there. */
export const ended = (state: HostProcessState, rest: string | undefined): HostProcessState => {
  switch (state._tag) {
    case "Running":
      return { _tag: "Ended", leftover: rest }
    case "Killed":
      return { _tag: "Ended", leftover: undefined }
    case "Ended":
      return state
  }
}
