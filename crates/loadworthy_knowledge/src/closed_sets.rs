//! The closed sets of the columns: one enum each, read from and written as the word of the data.

/// Declares an enum whose variants are words of the data files.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in the data files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value of a word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(input)?;
                Self::from_word(&word).ok_or_else(|| {
                    serde::de::Error::custom(format_args!(
                        "unknown {} `{word}`", stringify!($name).to_ascii_lowercase()
                    ))
                })
            }
        }
    };
}
pub(crate) use closed_set;

closed_set! {
    /// What sort of library it is.
    Kind {
        Orm = "orm", Odm = "odm", QueryBuilder = "query-builder", DriverSql = "driver-sql",
        DriverMongo = "driver-mongo", DriverNosql = "driver-nosql", Baas = "baas",
        CacheRemote = "cache-remote", CacheMemory = "cache-memory", Batching = "batching",
        Queue = "queue", Scheduler = "scheduler", HttpClient = "http-client", Sdk = "sdk",
        Mail = "mail", Rpc = "rpc", Web = "web", Middleware = "middleware",
        HttpServer = "http-server", Serverless = "serverless", Realtime = "realtime", Upload = "upload",
        Logging = "logging", Observability = "observability", Resilience = "resilience",
        Node = "node", Browser = "browser", Cpu = "cpu", Util = "util", Ui = "ui",
        UiData = "ui-data", UiState = "ui-state",
    }
}

/// A library a user adds without saying what it is decides nothing by its kind.
impl Default for Kind {
    fn default() -> Self {
        Self::Util
    }
}

impl Kind {
    /// Whether its objects talk to a database.
    #[must_use]
    pub const fn is_database(self) -> bool {
        matches!(
            self,
            Self::Orm
                | Self::Odm
                | Self::QueryBuilder
                | Self::DriverSql
                | Self::DriverMongo
                | Self::DriverNosql
                | Self::Baas
        )
    }
}

closed_set! {
    /// Where an object of the library belongs.
    Lifetime {
        Process = "process", Request = "request",
        ProcessOrRequest = "process-or-request", Any = "any",
    }
}

closed_set! {
    /// When the work of a call starts.
    Execution {
        Eager = "eager", LazyThenable = "lazy-thenable", LazyBuilder = "lazy-builder",
        Sync = "sync", MainThread = "main-thread", Callback = "callback", Stream = "stream",
        Emitter = "emitter", Middleware = "middleware", Handler = "handler",
    }
}

closed_set! {
    /// What a member returns.
    Returns {
        Promise = "promise", LazyThenable = "lazy-thenable", Builder = "builder", Sync = "sync",
        Callback = "callback", Stream = "stream", Cursor = "cursor",
        AsyncIterator = "async-iterator", Emitter = "emitter", Handle = "handle",
        Middleware = "middleware", Decorator = "decorator", Jsx = "jsx",
        PromiseOrCallback = "promise|callback", SyncOrPromise = "sync|promise",
        SyncOrCallback = "sync|callback", StreamOrCallback = "stream|callback",
    }
}

impl Returns {
    /// Whether awaiting the value waits for the work (it may also offer a callback).
    #[must_use]
    pub const fn is_awaitable(self) -> bool {
        matches!(self, Self::Promise | Self::LazyThenable | Self::PromiseOrCallback | Self::SyncOrPromise)
    }
}

closed_set! {
    /// How many rows a query yields.
    Rows {
        One = "one", Many = "many", ManyUnbounded = "many-unbounded", Page = "page",
        Cursor = "cursor", Count = "count",
    }
}

closed_set! {
    /// How a member is called, what else it does, what it costs.
    Flag {
        FreeFunction = "free-function", RunsHanded = "runs-handed", Constructor = "constructor", Hook = "hook",
        ClassArg = "class-arg", TaggedTemplate = "tagged-template", DynamicName = "dynamic-name",
        ExportName = "export-name", Assignment = "assignment", PropertyRead = "property-read",
        SideEffectImport = "side-effect-import", Batch = "batch",
        AutoBatchedPerTick = "auto-batched-per-tick", Atomic = "atomic", Lock = "lock",
        CheckThenAct = "check-then-act", Acquire = "acquire", Release = "release",
        Dedup = "dedup", RetriesByDefault = "retries-by-default",
        ImplicitLimit1 = "implicit-limit-1", FullScan = "full-scan", FanOut = "fan-out",
        Sync = "sync", MainThread = "main-thread", Threadpool = "threadpool",
        Expensive = "expensive", MemoryHeavy = "memory-heavy", WholeBuffer = "whole-buffer",
        Streaming = "streaming", Unmistakable = "unmistakable", OwnTrip = "own-trip",
    }
}

closed_set! {
    /// What turns one handle into another.
    Op {
        New = "new", Call = "call", Get = "get", Extend = "extend",
    }
}

closed_set! {
    /// When a function passed as an argument runs.
    Runs {
        Now = "now", PerElement = "per-element", PerRequest = "per-request",
        PerMessage = "per-message", PerConnection = "per-connection", PerJob = "per-job",
        Timer = "timer", Delayed = "delayed", Event = "event", Startup = "startup",
        Later = "later", Render = "render", Effect = "effect",
    }
}

impl Runs {
    /// Whether it belongs to the flow of the caller (what it does, the caller does).
    #[must_use]
    pub const fn is_in_caller_flow(self) -> bool {
        matches!(self, Self::Now | Self::PerElement | Self::Later)
    }
}

closed_set! {
    /// What a default belongs to.
    Target { Npm = "npm", Node = "node", Server = "server", Platform = "platform", }
}

closed_set! {
    /// What a default governs.
    Scope {
        Pool = "pool", Timeout = "timeout", Retry = "retry", Limit = "limit", Server = "server",
        Client = "client", Cache = "cache", Store = "store", Queue = "queue", Query = "query",
        Log = "log", Metric = "metric", Breaker = "breaker", Cpu = "cpu",
    }
}

closed_set! {
    /// The unit of a default's value.
    Unit {
        Ms = "ms", S = "s", Count = "count", Bytes = "bytes", KiB = "KiB", Mb = "MB",
        Rows = "rows", Percent = "percent", Iops = "iops", Log2 = "log2", Bool = "bool",
        None = "none",
    }
}

closed_set! {
    /// The thread that pays a cost.
    Thread { Loop = "loop", Pool = "pool", LoopOrPool = "loop or pool", }
}

closed_set! {
    /// What becomes of the failure of a function that a library calls.
    Becomes {
        Unhandled = "unhandled", Result = "result", Answered = "answered", Retried = "retried",
        Reported = "reported",
    }
}

closed_set! {
    /// What an event without a listener does.
    Without { ProcessExit = "process-exit", Logged = "logged", }
}
