import {
  NodeAddressResolver,
  NodeChildProcessSpawner,
  NodeCrypto,
  NodeDatagramSocket,
  NodeDns,
  NodeFileSystem,
  NodePath,
  NodeServices,
  NodeSocket,
  NodeSocketServer,
  NodeStdio,
  NodeTerminal,
  NodeWorker
} from "@effect/platform-node"
import { Effect, FileSystem, Layer, Logger, Path, Queue, Schema, type Scope, Stream } from "effect"
import { DevTools, DevToolsServer } from "effect/devtools"
import { Dns } from "effect/net"
import { ChildProcess } from "effect/process"
import { Rpc, RpcClient, RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"
import { SocketServer } from "effect/socket"
import { Worker } from "node:worker_threads"
import { provides } from "./data.ts"
import type { Layers } from "./layers.ts"

const local = { host: "127.0.0.1", port: 0 }

class Group extends RpcGroup.make(Rpc.make("Greet", { payload: { name: Schema.String }, success: Schema.String })) {}
export const handlers = Group.toLayer({ Greet: ({ name }) => Effect.succeed(`Hello, ${name}!`) })
export { Group }

/** A scoped file, folder or process. */
const files = <E>(key: string, acquire: Effect.Effect<unknown, E, Scope.Scope | NodeServices.NodeServices>) =>
  Layer.provide(provides(key, acquire), NodeServices.layer)

const inTempFolder = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.flatMap(fs.makeTempDirectoryScoped(), use))

/** A thread that does nothing but end when it is told to, as those of Effect's runner do. */
const worker = () =>
  new Worker(
    "require('node:worker_threads').parentPort.on('message', ([kind]) => { if (kind === 1) process.exit() })",
    { eval: true }
  )

/** A client of a server of sockets, at the port of the server. */
const toServer = <A, E, R>(client: (port: number) => Layer.Layer<A, E, R>) =>
  Layer.unwrap(
    Effect.map(SocketServer.SocketServer, ({ address }) => client("port" in address ? address.port : 0))
  )
const connected = toServer((port) => NodeSocket.layerNet({ host: "127.0.0.1", port }))
const devTools = Layer.effectDiscard(
  Effect.forkScoped(DevToolsServer.run(({ queue }) => Effect.forever(Queue.take(queue))))
)

export const platform: Layers = {
  "NodeServices.layer": NodeServices.layer,
  "NodeFileSystem.layer": NodeFileSystem.layer,
  "NodePath.layer": NodePath.layer,
  "NodeStdio.layer": NodeStdio.layer,
  "NodeTerminal.layer": NodeTerminal.layer,
  "NodeCrypto.layer": NodeCrypto.layer,
  "NodeDns.layer": NodeDns.layer,
  "NodeAddressResolver.layer": Layer.provide(NodeAddressResolver.layer, NodeDns.layer),
  "Dns.layerStatic": Dns.layerStatic({}),
  "NodeChildProcessSpawner.layer": Layer.provide(
    NodeChildProcessSpawner.layer,
    Layer.merge(NodeFileSystem.layer, NodePath.layer)
  ),

  "a temporary folder": files("Folder", inTempFolder(Effect.succeed)),
  "a temporary file": files("File", FileSystem.FileSystem.use((fs) => fs.makeTempFileScoped())),
  "an open file": files(
    "Open",
    inTempFolder((folder) =>
      Effect.all([FileSystem.FileSystem, Path.Path]).pipe(
        Effect.flatMap(([fs, path]) => fs.open(path.join(folder, "a"), { flag: "w" }))
      )
    )
  ),
  "a folder that is watched": files(
    "Watched",
    inTempFolder((folder) => FileSystem.FileSystem.use((fs) => Effect.forkScoped(Stream.runDrain(fs.watch(folder)))))
  ),
  "Logger.toFile": files(
    "Log",
    inTempFolder((folder) => Logger.toFile(Logger.formatJson, `${folder}/log`))
  ),
  "a child process": files("Process", ChildProcess.make("sleep", ["60"])),
  "a pipe of child processes": files(
    "Pipe",
    ChildProcess.pipeTo(ChildProcess.make("sleep", ["60"]), ChildProcess.make("cat", []))
  ),
  "a child process that is listened to": files(
    "Listener",
    Effect.tap(
      ChildProcess.make("tail", ["-f", "/dev/null"]),
      ({ stdout }) => Effect.forkScoped(Stream.runDrain(stdout))
    )
  ),

  "NodeSocketServer.layer": NodeSocketServer.layer(local),
  "NodeSocketServer.layerTls": NodeSocketServer.layerTls(local),
  "NodeSocketServer.layerWebSocket": NodeSocketServer.layerWebSocket(local),
  "NodeDatagramSocket.layer": NodeDatagramSocket.layer(),
  "NodeSocket.layerNet": Layer.provide(connected, NodeSocketServer.layer(local)),
  "NodeSocket.layerWebSocket": NodeSocket.layerWebSocket("ws://127.0.0.1:9"),
  "DevTools.layer": toServer((port) => DevTools.layer(`ws://127.0.0.1:${port}`)).pipe(
    Layer.provide(Layer.provideMerge(devTools, NodeSocketServer.layerWebSocket(local)))
  ),

  "RpcServer over sockets": RpcServer.layer(Group).pipe(Layer.provide([
    handlers,
    Layer.provide(RpcServer.layerProtocolSocketServer, [RpcSerialization.layerNdjson, NodeSocketServer.layer(local)])
  ])),
  "RpcClient over sockets": Layer.provide(RpcClient.layerProtocolSocket(), [
    RpcSerialization.layerNdjson,
    Layer.provide(connected, NodeSocketServer.layer(local))
  ]),
  "RpcClient to a worker": Layer.provide(RpcClient.layerProtocolWorker({ size: 1 }), NodeWorker.layer(worker)),
  "NodeWorker.layer": Layer.merge(NodeWorker.layer(worker), provides("Workers", Effect.addFinalizer(() => Effect.void)))
}
