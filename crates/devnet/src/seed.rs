//! The seed: the one address a fresh client knows (spec 03 §2.3). JSON-RPC over plain HTTP.

use std::future::pending;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::fault::SeedFault;
use crate::http::{Boxed, Reply, Request, Service};
use crate::lie::ListLie;
use crate::network::Network;
use crate::rpc;

/// The seed behind its door.
pub(crate) struct Seed {
    network: Arc<Network>,
    requests: AtomicU64,
    faults: Mutex<Faults>,
}

/// What is wrong with the seed at present.
#[derive(Clone, Default)]
struct Faults {
    dead: bool,
    frozen: bool,
    refuses: Option<u16>,
    lies: Vec<ListLie>,
}

impl Seed {
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, requests: AtomicU64::new(0), faults: Mutex::default() }
    }

    /// How often it was asked.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something be wrong, in addition to what is.
    pub fn set_fault(&self, fault: SeedFault) {
        let mut faults = self.faults();
        match fault {
            SeedFault::Dead => faults.dead = true,
            SeedFault::Frozen => faults.frozen = true,
            SeedFault::Refuses(status) => faults.refuses = Some(status),
            SeedFault::Lies(lie) => faults.lies.push(lie),
        }
    }

    /// Makes everything well again.
    pub fn clear_faults(&self) {
        *self.faults() = Faults::default();
    }

    /// Whether its process is gone.
    pub fn is_dead(&self) -> bool {
        self.faults().dead
    }

    fn reply(&self, body: &[u8]) -> Value {
        let error = |id: &Value, code: i64, message: &str| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            return error(&Value::Null, -32700, "Parse error");
        };
        let id = request.get("id").unwrap_or(&Value::Null);
        match request.get("method").and_then(Value::as_str) {
            Some("get_n_service_nodes" | "get_service_nodes") => {
                let params = request.get("params").unwrap_or(&Value::Null);
                let mut nodes = self.network.list();
                self.faults().lies.iter().for_each(|lie| lie.tell(&mut nodes));
                let result = rpc::service_nodes(nodes, params, self.network.conduct.version);
                json!({"jsonrpc": "2.0", "id": id, "result": result})
            }
            Some(_) => error(id, -32601, "Method not found"),
            None => error(id, -32600, "Invalid Request"),
        }
    }
}

impl Service for Seed {
    fn welcome(&self) -> Boxed<bool> {
        Box::pin(std::future::ready(true))
    }

    fn preview(&self, method: &Method, target: &str, _headers: &HeaderMap, _from: IpAddr) -> Option<Reply> {
        let known = method == Method::POST && target == "/json_rpc";
        (!known).then(|| Reply::text(404, "Not Found"))
    }

    fn answer(&self, request: Request) -> Boxed<Reply> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let Faults { frozen, refuses, .. } = self.faults().clone();
        if frozen {
            return Box::pin(pending());
        }
        let reply = match refuses {
            Some(status) => Reply::text(status, "refused"),
            None => Reply::new(200, "application/json", self.reply(&request.body).to_string()),
        };
        Box::pin(std::future::ready(reply))
    }
}
