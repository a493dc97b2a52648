import { NodeClusterHttp, NodeClusterSocket, NodeCrypto, NodeHttpClient, NodeServices } from "@effect/platform-node"
import { PgClient, PgMigrator } from "@effect/sql-pg"
import { Config, Cron, Effect, Layer, Option, Redacted, Schema } from "effect"
import {
  ClusterCron,
  ClusterWorkflowEngine,
  Entity,
  MessageStorage,
  RunnerAddress,
  RunnerStorage,
  ShardingConfig,
  SingleRunner,
  Singleton,
  Snowflake,
  SqlMessageStorage,
  SqlRunnerStorage,
  TestRunner
} from "effect/cluster"
import {
  EventJournal,
  EventLog,
  EventLogEncryption,
  EventLogServerEncrypted,
  EventLogServerUnencrypted,
  SqlEventJournal,
  SqlEventLogServerUnencrypted
} from "effect/eventlog"
import { CircuitBreaker, KeyValueStore, PersistedQueue, Persistence, RateLimiter } from "effect/persistence"
import { Rpc } from "effect/rpc"
import { SqlClient } from "effect/sql"
import { WorkflowEngine } from "effect/workflow"
import { provides } from "./data.ts"
import type { Layers } from "./layers.ts"

const Counter = Entity.make("Counter", [Rpc.make("Increment", { success: Schema.Int })])
const counter = Counter.toLayer({ Increment: () => Effect.succeed(1) })

/** A runner of a cluster that is its own, at a port that is free. */
const shardingConfig = {
  runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", 0)),
  shardsPerGroup: 8,
  entityTerminationTimeout: 0
}

export const storage = (database: string): Layers => {
  const url = Redacted.make(database)
  /** A pool of its own for each layer. */
  const pool = () => PgClient.layer({ url, maxConnections: 2 })
  const overSql = <A, E, R>(layer: Layer.Layer<A, E, R>) => Layer.provide(layer, [pool(), NodeCrypto.layer])
  const config = ShardingConfig.layer(shardingConfig)
  const identity = Layer.effect(EventLog.Identity, EventLog.makeIdentity).pipe(
    Layer.provide(EventLogEncryption.layerSubtle)
  )

  return {
    "PgClient.layer": pool(),
    "PgClient.layerConfig": PgClient.layerConfig({ url: Config.succeed(url), maxConnections: Config.succeed(1) }),
    "PgClient, used": overSql(provides("Rows", SqlClient.SqlClient.use((sql) => sql`SELECT 1`))),
    "PgClient, a listener": overSql(
      provides("Notices", PgClient.PgClient.use((pg) => pg.listen("adopted")))
    ),
    "PgMigrator.layer": Layer.provide(
      PgMigrator.layer({ loader: Effect.succeed([]), table: "adopted_migrations" }),
      [pool(), NodeServices.layer]
    ),
    "KeyValueStore.layerSql": overSql(KeyValueStore.layerSql({ table: "adopted_values" })),
    "Persistence.layerSql": overSql(Persistence.layerSql),
    "Persistence.layerSqlMultiTable": overSql(Persistence.layerSqlMultiTable),
    "PersistedQueue.layerStoreSql": PersistedQueue.layer.pipe(
      Layer.provide(overSql(PersistedQueue.layerStoreSql({ tableName: "adopted_queue" })))
    ),
    "SqlEventJournal.layer": overSql(SqlEventJournal.layer({ entryTable: "adopted_entries" })),
    "SqlEventLogServerUnencrypted.layerStorage": overSql(SqlEventLogServerUnencrypted.layerStorage()),
    "SqlMessageStorage.layer": overSql(Layer.provide(SqlMessageStorage.layer, config)),
    "SqlRunnerStorage.layer": overSql(Layer.provide(SqlRunnerStorage.layer, config)),
    "SingleRunner.layer": overSql(SingleRunner.layer({ shardingConfig, runnerStorage: "memory" })),
    "an entity over SQL": overSql(
      counter.pipe(Layer.provide(SingleRunner.layer({ shardingConfig, runnerStorage: "memory" })))
    ),

    "KeyValueStore.layerMemory": KeyValueStore.layerMemory,
    "KeyValueStore.layerFileSystem": Layer.unwrap(
      Effect.sync(() => Layer.provide(KeyValueStore.layerFileSystem("/tmp"), NodeServices.layer))
    ),
    "Persistence.layerMemory": Persistence.layerMemory,
    "Persistence.layerKvs": Layer.provide(Persistence.layerKvs, KeyValueStore.layerMemory),
    "PersistedQueue.layer": Layer.provide(PersistedQueue.layer, PersistedQueue.layerStoreMemory),
    "PersistedQueue.layerCleanup": Layer.provide(PersistedQueue.layerCleanup(), PersistedQueue.layerStoreMemory),
    "RateLimiter.layer": Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory),
    "CircuitBreaker.layerStoreMemory": CircuitBreaker.layerStoreMemory(),

    "EventJournal.layerMemory": EventJournal.layerMemory,
    "EventLog.layerEventLog": Layer.provide(EventLog.layerEventLog, [EventJournal.layerMemory, identity]),
    "EventLogServerEncrypted.layerStorageMemory": EventLogServerEncrypted.layerStorageMemory,
    "EventLogServerUnencrypted.layerStorageMemory": EventLogServerUnencrypted.layerStorageMemory,

    "TestRunner.layer": TestRunner.layer,
    "Entity.toLayer": Layer.provide(counter, TestRunner.layer),
    "Singleton.make": Layer.provide(Singleton.make("single", Effect.never), TestRunner.layer),
    "ClusterCron.make": Layer.provide(
      ClusterCron.make({ name: "hourly", cron: Cron.parseUnsafe("0 * * * *"), execute: Effect.void }),
      TestRunner.layer
    ),
    "WorkflowEngine.layerMemory": WorkflowEngine.layerMemory,
    "ClusterWorkflowEngine.layer": Layer.provide(ClusterWorkflowEngine.layer, TestRunner.layer),
    "MessageStorage.layerMemory": Layer.provide(MessageStorage.layerMemory, config),
    "RunnerStorage.layerMemory": RunnerStorage.layerMemory,
    "Snowflake.layerGenerator": Snowflake.layerGenerator,
    "NodeClusterSocket.layer": NodeClusterSocket.layer({ storage: "local", shardingConfig }),
    "NodeClusterSocket.layer, a client": NodeClusterSocket.layer({
      storage: "local",
      clientOnly: true,
      shardingConfig
    }),
    "NodeClusterHttp.layer": NodeClusterHttp.layer({ transport: "http", storage: "local", shardingConfig }),
    "NodeClusterHttp.layer, WebSocket": NodeClusterHttp.layer({
      transport: "websocket",
      storage: "local",
      shardingConfig
    }),
    "an HTTP client beneath a database": Layer.provideMerge(pool(), NodeHttpClient.layerUndici)
  }
}
