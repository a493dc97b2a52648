import { useState } from "preact/hooks"
import { enterToken, tokenFault } from "../api/session.ts"
import { Dialog } from "./dialog.tsx"

/** Asks for the token once the manager has refused a request without one, or with a wrong one. */
export const TokenDialog = () =>
  tokenFault.value === undefined ? null : <TokenForm key={tokenFault.value} fault={tokenFault.value} />

const TokenForm = ({ fault }: { readonly fault: string }) => {
  const [text, setText] = useState("")
  return (
    <Dialog
      title="A token is needed"
      onClose={() => tokenFault.value = undefined}
      onSubmit={() => text.trim() !== "" && enterToken(text.trim())}
    >
      <p>The manager says: {fault}.</p>
      <p>
        This tab keeps the token until it is closed, and sends it in a header. <code>autostop open</code>{" "}
        opens the page without one.
      </p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          autofocus
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="buttons">
        <button type="submit" class="primary">Go on</button>
      </p>
    </Dialog>
  )
}
