export const printLine = (text: string): void => void process.stdout.write(`${text}\n`)
