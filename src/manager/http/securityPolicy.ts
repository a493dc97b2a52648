/**
 * Returns the Content Security Policy of a page: it asks this manager alone, and loads nothing but what the directives add. Each of
 * them has its sources.
 */
export const securityPolicy = (directives: Readonly<Record<string, string>>): string =>
  Object.entries({
    "default-src": "'none'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    ...directives
  }).map(([directive, sources]) => `${directive} ${sources}`).join("; ")
