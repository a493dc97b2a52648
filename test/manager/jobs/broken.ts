// Modules that cannot be loaded: the variable says why not.
const how = process.env["AUTOSTOP_TEST_BROKEN"]
if (how === "hang") await new Promise(() => setInterval(() => {}, 1_000))
if (how === "block") { for (;;); }
if (how === "exit") process.exit(5)
throw new TypeError("bad config")
