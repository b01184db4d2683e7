//! HTTP inside an onion request, for servers (spec 03 §6.5): a bencoded list of some JSON and the body.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::counted;

/// A request as the server sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Path and query.
    pub endpoint: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

/// A server's reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// HTTP status.
    pub code: u16,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

/// Encodes a request. Header names are sent as given; servers read them in any case.
pub fn request(method: &str, endpoint: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Vec<u8> {
    let meta = format!(
        r#"{{"endpoint":{},"method":{},"headers":{}}}"#,
        Value::from(endpoint),
        Value::from(method),
        headers_json(headers)
    );
    list(&meta, body)
}

impl Request {
    /// Reads a request, as a server does.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (meta, body) = parts(bytes)?;
        let text = |name| meta.get(name).and_then(Value::as_str).map(str::to_owned);
        let headers = read_headers(&meta);
        Some(Self { method: text("method")?, endpoint: text("endpoint")?, headers, body: body.to_vec() })
    }
}

impl Response {
    /// Encodes a reply, as a server does. An empty body is sent as such.
    pub fn encode(code: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        list(&format!(r#"{{"code":{code},"headers":{}}}"#, headers_json(headers)), Some(body))
    }

    /// Reads a reply.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (meta, body) = parts(bytes)?;
        let code = u16::try_from(meta.get("code")?.as_u64()?).ok()?;
        Some(Self { code, headers: read_headers(&meta), body: body.to_vec() })
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

fn list(meta: &str, body: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(meta.len() + body.map_or(0, <[u8]>::len) + 32);
    out.push(b'l');
    counted::put(&mut out, meta.as_bytes());
    if let Some(body) = body {
        counted::put(&mut out, body);
    }
    out.push(b'e');
    out
}

/// The JSON and the body (empty if there is none).
fn parts(bytes: &[u8]) -> Option<(Map<String, Value>, &[u8])> {
    let (meta, rest) = counted::take(bytes.strip_prefix(b"l")?)?;
    let (body, rest) = match rest {
        b"e" => (&[][..], rest),
        _ => counted::take(rest)?,
    };
    (rest == b"e").then_some(())?;
    Some((serde_json::from_slice(meta).ok()?, body))
}

fn headers_json(headers: &[(&str, &str)]) -> String {
    let fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{}:{}", Value::from(*name), Value::from(*value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn read_headers(meta: &Map<String, Value>) -> BTreeMap<String, String> {
    let headers = meta.get("headers").and_then(Value::as_object).into_iter().flatten();
    headers
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.to_lowercase(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn requests_and_replies_are_read_as_they_were_written(
            endpoint: String, name in "[a-z-]{1,12}", value: String, body: Vec<u8>, code: u16,
        ) {
            let headers = [(name.as_str(), value.as_str())];
            let read = Request::parse(&request("POST", &endpoint, &headers, Some(&body))).unwrap();
            prop_assert_eq!((&read.method[..], &read.endpoint, &read.body), ("POST", &endpoint, &body));
            prop_assert_eq!(&read.headers[&name], &value);
            let read = Response::parse(&Response::encode(code, &headers, &body)).unwrap();
            prop_assert_eq!((read.code, read.header(&name), &read.body), (code, Some(&value[..]), &body));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
            prop_assert_eq!(Request::parse(&bytes), None);
            prop_assert_eq!(Response::parse(&bytes), None);
        }
    }

    #[test]
    fn a_missing_body_is_an_empty_one() {
        assert_eq!(Request::parse(&request("GET", "/x", &[], None)).unwrap().body, b"");
        assert_eq!(Response::parse(br#"l12:{"code":204}e"#).unwrap().code, 204);
        assert_eq!(Response::parse(br#"l12:{"code":204}"#), None);
    }
}
