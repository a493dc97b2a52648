/** The address of the page with a code in place of a token. `path` is where the page opens. */
export const pageAddress = (url: string, code: string, path: string): string => `${url}/#code=${code}&to=${path}`
