export const first = 41
export const shout = (text: string): string => `${text.toUpperCase()}!`
