//! A node's HTTPS face (spec 03 §6.8): which addresses there are, limits, and what faults do before a request is
//! looked at.

use std::net::IpAddr;
use std::time::Instant;

use hyper::{HeaderMap, Method};

use crate::fault::{self, Admission};
use crate::http::{Boxed, Reply, Request, Service};
use crate::limit::RateLimit;
use crate::onion;
use crate::rpc::{self, Body};
use crate::seat::Seat;
use crate::version::ServerVersion;

/// A node behind its door.
pub(crate) struct NodeService {
    seat: Seat,
    limit: RateLimit,
}

impl NodeService {
    pub fn new(seat: Seat) -> Self {
        Self { seat, limit: RateLimit::default() }
    }

    fn unavailable(&self) -> Option<Reply> {
        let faults = self.seat.node.faults();
        if faults.not_ready {
            let text = "Service node is not ready: not yet synchronised\n";
            return Some(Reply::text(503, text));
        }
        faults.busy.then(|| Reply::text(503, "Server busy, try again later"))
    }

    fn refuse_direct(&self, headers: &HeaderMap, from: IpAddr) -> Option<Reply> {
        if !from.is_ipv4() {
            return Some(Reply::text(400, "Bad Request\n"));
        }
        if !self.limit.take(from, Instant::now()) {
            return Some(Reply::text(429, "Too Many Requests\n"));
        }
        let long_poll = headers.get("x-loki-long-poll").is_some_and(|value| !value.is_empty());
        long_poll.then(|| Reply::text(410, "long polling is no longer supported, client upgrade required"))
    }
}

impl Service for NodeService {
    fn welcome(&self) -> Boxed<bool> {
        let node = self.seat.node.clone();
        Box::pin(async move {
            let mut faults = node.fault_switch().subscribe();
            let thawed = faults.wait_for(|faults| !faults.frozen || faults.dead).await;
            thawed.is_ok_and(|faults| !faults.dead && !faults.closes)
        })
    }

    fn preview(&self, method: &Method, target: &str, headers: &HeaderMap, from: IpAddr) -> Option<Reply> {
        // The faults come first: what a dead or frozen node would say to a wrong address is nothing.
        let faults = self.seat.node.faults();
        if faults.dead || faults.frozen {
            return None;
        }
        match (method, target) {
            (&Method::POST, "/onion_req/v2") => self.unavailable(),
            (&Method::POST, "/storage_rpc/v1") => {
                self.unavailable().or_else(|| self.refuse_direct(headers, from))
            }
            _ => {
                let method = match self.seat.network.conduct.version {
                    ServerVersion::V2_8 => method.as_str().to_lowercase(),
                    ServerVersion::V2_11 => method.as_str().to_owned(),
                };
                Some(Reply::text(404, format!("{method} {target} Not Found")))
            }
        }
    }

    fn answer(&self, request: Request) -> Boxed<Reply> {
        let seat = self.seat.clone();
        let network = seat.network.clone();
        Box::pin(async move {
            if network.wire.is_cut()
                || seat.node.faults().closes
                || fault::admit(seat.node.fault_switch()).await == Admission::Lost
            {
                return Reply::HangUp;
            }
            // A client that hangs up does not stop what it has set going.
            let reply = network.tasks.detached(respond(seat.clone(), request)).await.unwrap_or(Reply::HangUp);
            if network.wire.is_cut() { Reply::HangUp } else { reply.dripping(seat.node.faults().drip) }
        })
    }
}

async fn respond(seat: Seat, request: Request) -> Reply {
    if request.target == "/onion_req/v2" {
        let answer = onion::enter(seat, &request.body).await;
        return Reply::new(answer.status, "text/plain", answer.body);
    }
    seat.node.count("direct");
    let response = rpc::handle(seat.clone(), &request.body).await;
    let content_type = match response.body {
        Body::Json(_) => "application/json",
        Body::Text(_) => "text/plain",
    };
    let faults = seat.node.faults();
    let status = if faults.garbage { 200 } else { response.status };
    Reply::new(status, content_type, fault::spoil(&faults, response.body.into_text().into_bytes()))
}
