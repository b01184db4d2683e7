//! A request that was read, and what it is answered with.

use serde_json::Value;

use crate::cut::Gone;
use crate::http::Boxed;
use crate::pubkey::Pubkey;
use crate::seat::Seat;

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub body: Body,
}

/// A reply's body.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(Value),
    Text(String),
}

impl Body {
    /// As a value inside another reply.
    pub fn into_value(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Text(text) => Value::String(text),
        }
    }

    /// As it stands on its own.
    pub fn into_text(self) -> String {
        match self {
            Self::Json(value) => value.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl Response {
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: Body::Text(text.into()) }
    }

    pub fn json(status: u16, value: Value) -> Self {
        Self { status, body: Body::Json(value) }
    }

    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request that was read and can be carried out.
pub(crate) trait Call: Send + Sync {
    /// Whose messages it is about, if anybody's.
    fn account(&self) -> Option<&Pubkey> {
        None
    }

    fn run(&self, seat: Seat) -> Boxed<Response>;
}

/// A call and the method's name.
pub(crate) struct Request {
    pub name: &'static str,
    call: Box<dyn Call>,
}

impl Request {
    pub fn new(name: &'static str, call: impl Call + 'static) -> Self {
        Self { name, call: Box::new(call) }
    }

    /// Whether it holds other requests, and so may not be one of a batch.
    pub fn is_meta(&self) -> bool {
        matches!(self.name, "batch" | "sequence" | "ifelse")
    }

    /// Carries it out for a client: counted first, then as soon as nobody holds it.
    pub async fn run(&self, seat: Seat) -> Response {
        let cut_after = match seat.network.wire.begin(self.name) {
            Ok(cut_after) => cut_after,
            Err(Gone) => return Response::text(503, "cut"),
        };
        seat.node.count(self.name);
        if let Some(account) = self.call.account() {
            seat.node.count_for(account, self.name);
        }
        seat.network.gate.pass(self.name).await;
        seat.node.gate().pass(self.name).await;
        let response = self.call.run(seat.clone()).await;
        if cut_after {
            seat.network.wire.end();
        }
        response
    }
}
