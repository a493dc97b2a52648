process.stderr.write("the disk is full\n")
throw new Error("no such setting")
