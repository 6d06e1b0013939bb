//! What calling a member does.

use crate::closed_sets::closed_set;

closed_set! {
    /// What calling a member does, one a row.
    Effect {
        DbQuery = "db.query", DbWrite = "db.write", DbTransaction = "db.transaction",
        DbConnect = "db.connect", DbAcquire = "db.acquire", DbRelease = "db.release",
        DbClose = "db.close", DbStream = "db.stream", DbDdl = "db.ddl", DbSchema = "db.schema",
        DbIndex = "db.index", BatchLoad = "batch.load",
        CacheGet = "cache.get", CacheSet = "cache.set", CacheScan = "cache.scan",
        CacheConnect = "cache.connect", CacheClose = "cache.close", Pubsub = "pubsub",
        MemGet = "mem.get", MemSet = "mem.set",
        QueuePublish = "queue.publish", QueueConsume = "queue.consume",
        QueueRead = "queue.read", QueueWait = "queue.wait", QueueSchedule = "queue.schedule",
        QueueOption = "queue.option", QueueAck = "queue.ack", QueueConnect = "queue.connect",
        QueueClose = "queue.close",
        HttpRequest = "http.request", LlmCall = "llm.call", PaymentCall = "payment.call",
        MailSend = "mail.send", StorageGet = "storage.get", StoragePut = "storage.put",
        AsyncNet = "async.net", SocketOpen = "socket.open", SocketSend = "socket.send",
        SocketBroadcast = "socket.broadcast", SocketControl = "socket.control",
        SyncCpu = "sync.cpu", SyncFs = "sync.fs", SyncZlib = "sync.zlib", SyncProc = "sync.proc",
        AsyncCpu = "async.cpu", AsyncFs = "async.fs", AsyncZlib = "async.zlib",
        BufferWhole = "buffer.whole", Iterate = "iterate", AsyncFanOut = "async.fan-out",
        ProcSpawn = "proc.spawn", ProcExit = "proc.exit",
        ListenerAdd = "listener.add", ListenerRemove = "listener.remove",
        StreamOpen = "stream.open", StreamPipe = "stream.pipe", StreamWrite = "stream.write",
        StreamClose = "stream.close", TimerSet = "timer.set", TimerClear = "timer.clear",
        TimerCron = "timer.cron", TimerDebounce = "timer.debounce",
        TimerMicrotask = "timer.microtask",
        LimitRate = "limit.rate", LimitConcurrency = "limit.concurrency",
        BreakerWrap = "breaker.wrap", RetryWrap = "retry.wrap", RetryOption = "retry.option",
        TimeoutWrap = "timeout.wrap", TimeoutSignal = "timeout.signal",
        HttpListen = "http.listen", RouteAdd = "route.add", RouteRouter = "route.router",
        ServerOption = "server.option", Middleware = "middleware",
        RequestParse = "request.parse", RequestUpload = "request.upload",
        SessionStore = "session.store", ErrorForward = "error.forward",
        ResponseSend = "response.send", ResponseStream = "response.stream",
        ResponseStatic = "response.static", ResponseHeader = "response.header",
        ResponseAfter = "response.after", GraphqlServer = "graphql.server",
        GraphqlRun = "graphql.run", DiProvider = "di.provider",
        LogWrite = "log.write", ObsMetric = "obs.metric", ObsTrace = "obs.trace",
        BrowserStorage = "browser.storage", BrowserLayout = "browser.layout",
        ReactFetch = "react.fetch", ReactMutate = "react.mutate", ReactState = "react.state",
        ReactStore = "react.store", ReactContext = "react.context",
        ReactEffect = "react.effect", ReactMemo = "react.memo",
        ReactConcurrent = "react.concurrent", ReactSplit = "react.split",
        ReactRoot = "react.root", ReactList = "react.list", ReactVirtual = "react.virtual",
        Builder = "builder", WrapPromise = "wrap.promise",
    }
}

closed_set! {
    /// The family of an effect: the headings of the closed set.
    Group {
        Database = "database", Cache = "cache", Queue = "queue", Network = "network",
        Cpu = "cpu", Memory = "memory", Process = "process", Lifetime = "lifetime",
        Protection = "protection", Server = "server", Log = "log", Browser = "browser",
        React = "react", None = "none",
    }
}

impl Effect {
    /// The family it belongs to.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Middleware => return Group::Server,
            Self::Pubsub => return Group::Cache,
            Self::SyncProc => return Group::Process,
            Self::AsyncNet => return Group::Network,
            Self::Builder | Self::WrapPromise => return Group::None,
            _ => {}
        }
        match self.as_str().split('.').next().unwrap_or_default() {
            "db" | "batch" => Group::Database,
            "cache" => Group::Cache,
            "queue" => Group::Queue,
            "http" if self == Self::HttpListen => Group::Server,
            "http" | "llm" | "payment" | "mail" | "storage" | "socket" => Group::Network,
            "sync" | "async" | "iterate" => Group::Cpu,
            "mem" | "buffer" => Group::Memory,
            "proc" => Group::Process,
            "listener" | "stream" | "timer" => Group::Lifetime,
            "limit" | "breaker" | "retry" | "timeout" => Group::Protection,
            "log" | "obs" => Group::Log,
            "browser" => Group::Browser,
            "react" => Group::React,
            _ => Group::Server,
        }
    }

    /// Whether it takes one round trip (or more) to a database.
    #[must_use]
    pub const fn is_database_trip(self) -> bool {
        matches!(self, Self::DbQuery | Self::DbWrite | Self::DbTransaction | Self::DbStream | Self::BatchLoad)
    }

    /// Whether it asks another service: by HTTP, or by the service's own library.
    #[must_use]
    pub const fn is_service_call(self) -> bool {
        matches!(
            self,
            Self::HttpRequest
                | Self::LlmCall
                | Self::PaymentCall
                | Self::MailSend
                | Self::StorageGet
                | Self::StoragePut
        )
    }

    /// Whether it holds the event loop while it runs.
    #[must_use]
    pub const fn blocks_event_loop(self) -> bool {
        matches!(self, Self::SyncCpu | Self::SyncFs | Self::SyncZlib | Self::SyncProc)
    }

    /// Whether it waits for another machine.
    #[must_use]
    pub fn leaves_process(self) -> bool {
        self.is_database_trip()
            || matches!(
                self,
                Self::CacheGet
                    | Self::CacheSet
                    | Self::CacheScan
                    | Self::Pubsub
                    | Self::QueuePublish
                    | Self::QueueRead
                    | Self::QueueWait
                    | Self::DbConnect
                    | Self::DbAcquire
            )
            || matches!(self.as_str().split('.').next(), Some("llm" | "payment" | "mail" | "storage"))
            || matches!(self, Self::HttpRequest | Self::AsyncNet)
    }
}
