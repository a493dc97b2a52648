export default ({ n }: { readonly n: number }): number => 2 * n
