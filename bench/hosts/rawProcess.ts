/** What anyone would write first: a message for each call, and one for each answer. */
process.on("message", ({ id, n }: { readonly id: number; readonly n: number }) => {
  process.send?.({ id, n: 2 * n })
})
