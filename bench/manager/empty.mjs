// The least that a process or a thread can be.
process.exitCode = 0
