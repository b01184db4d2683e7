//! Requests made of requests: `batch`, `sequence`, `ifelse` (spec 03 §9.15).

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::params::{Params, ParseError, Parsed};
use super::request::{Call, Request, Response};
use crate::http::Boxed;
use crate::seat::Seat;
use crate::version::{HARD_FORK, HEIGHT, ServerVersion};

/// Reads the method and the parameters of one request; `None` if there is no such method.
pub(super) type Reader<'a> = &'a dyn Fn(&str, &Map<String, Value>) -> Option<Parsed<Request>>;

/// The most requests in one call.
const MAX_REQUESTS: usize = 20;

struct Batch {
    requests: Arc<[Request]>,
    /// One after the other, up to the first that fails.
    in_order: bool,
}

/// Reads the parameters of `batch`.
pub(super) fn parse_batch(params: Params<'_>, read: Reader<'_>) -> Parsed<Request> {
    Ok(Request::new("batch", Batch { requests: parse_requests(params, read)?, in_order: false }))
}

/// Reads the parameters of `sequence`.
pub(super) fn parse_sequence(params: Params<'_>, read: Reader<'_>) -> Parsed<Request> {
    Ok(Request::new("sequence", Batch { requests: parse_requests(params, read)?, in_order: true }))
}

fn parse_requests(params: Params<'_>, read: Reader<'_>) -> Parsed<Arc<[Request]>> {
    let requests = params.get("requests").and_then(Value::as_array).filter(|requests| !requests.is_empty());
    let requests = requests.ok_or(ParseError::from("Invalid batch request: no valid \"requests\" field"))?;
    if requests.len() > MAX_REQUESTS {
        return Err("Invalid batch request: subrequest limit exceeded".into());
    }
    requests.iter().map(|request| parse_one(request, read)).collect()
}

fn parse_one(request: &Value, read: Reader<'_>) -> Parsed<Request> {
    if !request.is_object() {
        return Err("Invalid batch request: requests must be objects".into());
    }
    let method = request.get("method").and_then(Value::as_str);
    let params = request.get("params").and_then(Value::as_object);
    let (Some(method), Some(params)) = (method, params) else {
        return Err("Invalid batch request: subrequests must have method/params keys".into());
    };
    let request = read(method, params)
        .ok_or_else(|| ParseError(format!("Invalid batch subrequest: invalid method \"{method}\"")))??;
    if request.is_meta() {
        return Err("Invalid batch subrequest: subrequests may not contain meta-requests".into());
    }
    Ok(request)
}

/// A reply as part of another.
fn nested(response: Response) -> Value {
    json!({"code": response.status, "body": response.body.into_value()})
}

impl Call for Batch {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        let (requests, in_order) = (Arc::clone(&self.requests), self.in_order);
        Box::pin(async move {
            let results = if in_order {
                one_by_one(&requests, &seat).await
            } else {
                let all = join_all(requests.iter().map(|request| request.run(seat.clone()))).await;
                all.into_iter().map(nested).collect()
            };
            Response::json(200, json!({ "results": results }))
        })
    }
}

async fn one_by_one(requests: &[Request], seat: &Seat) -> Vec<Value> {
    let mut results = Vec::new();
    for request in requests {
        let response = request.run(seat.clone()).await;
        let good = response.is_good();
        results.push(nested(response));
        if !good {
            break;
        }
    }
    results
}

struct IfElse {
    version: ServerVersion,
    condition: bool,
    chosen: Option<Arc<Request>>,
}

/// Reads the parameters of `ifelse`; what the conditions ask never changes while the network runs.
pub(super) fn parse_ifelse(params: Params<'_>, version: ServerVersion, read: Reader<'_>) -> Parsed<Request> {
    let conditions = params.get("if").and_then(Value::as_object);
    let conditions = conditions.ok_or(ParseError::from("Invalid ifelse request: no valid \"if\" field"))?;
    let condition = holds(Params(conditions), version)?;
    let (yes, no) = (parse_branch(params.0, "then", read)?, parse_branch(params.0, "else", read)?);
    if yes.is_none() && no.is_none() {
        return Err("Invalid ifelse request: at least one of \"then\"/\"else\" required".into());
    }
    let chosen = if condition { yes } else { no }.map(Arc::new);
    Ok(Request::new("ifelse", IfElse { version, condition, chosen }))
}

fn parse_branch(params: &Map<String, Value>, key: &str, read: Reader<'_>) -> Parsed<Option<Request>> {
    let Some(branch) = params.get(key) else { return Ok(None) };
    if !branch.is_object() {
        return Err(ParseError(format!("Invalid ifelse request: {key} must be an object")));
    }
    let method = branch.get("method").and_then(Value::as_str);
    let params = branch.get("params").and_then(Value::as_object);
    let (Some(method), Some(params)) = (method, params) else {
        return Err(ParseError(format!("Invalid ifelse request: {key} must have method/params keys")));
    };
    let unknown = || ParseError(format!("Invalid ifelse request method \"{key}\""));
    Ok(Some(read(method, params).ok_or_else(unknown)??))
}

/// Whether all conditions hold.
fn holds(conditions: Params<'_>, version: ServerVersion) -> Parsed<bool> {
    let mut all = Vec::new();
    let mut compare = |name: &str, actual: &[u64], before: bool| -> Parsed<()> {
        if let Some(wanted) = conditions.integers(name)?.filter(|wanted| !wanted.is_empty()) {
            all.push(is_before(actual, &wanted) == before);
        }
        Ok(())
    };
    compare("hf_at_least", &HARD_FORK, false)?;
    compare("hf_before", &HARD_FORK, true)?;
    compare("v_at_least", &version.number(), false)?;
    compare("v_before", &version.number(), true)?;
    for (name, before) in [("height_at_least", false), ("height_before", true)] {
        if let Some(wanted) = conditions.integer(name)? {
            all.push(is_before(&[HEIGHT], &[wanted]) == before);
        }
    }
    if all.is_empty() {
        return Err("Invalid ifelse request: must specify at least one \"if\" condition".into());
    }
    Ok(all.into_iter().all(|holds| holds))
}

/// Compares a version with a wanted one; missing places of the latter count as 0, further ones do not count.
fn is_before(actual: &[u64], wanted: &[i64]) -> bool {
    let wanted = wanted.iter().copied().chain(std::iter::repeat(0));
    let actual: Vec<i64> = actual.iter().map(|&part| i64::try_from(part).unwrap_or(i64::MAX)).collect();
    let wanted: Vec<i64> = wanted.take(actual.len()).collect();
    actual < wanted
}

impl Call for IfElse {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        let (version, condition, chosen) = (self.version.number(), self.condition, self.chosen.clone());
        Box::pin(async move {
            let mut reply = json!({"hf": HARD_FORK, "v": version, "height": HEIGHT, "condition": condition});
            if let (Some(request), Some(reply)) = (chosen, reply.as_object_mut()) {
                let result = nested(request.run(seat).await);
                reply.insert("result".to_owned(), result);
            }
            Response::json(200, reply)
        })
    }
}
