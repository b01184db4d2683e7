//! The v4 payload (spec 03 §6.5), the server's side: a bencoded list of a JSON head and, maybe, a body.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::routes::{Call, Outcome};

/// What a decrypted payload is.
pub(super) enum Parsed {
    Call(Call),
    /// Well formed, but not a request: an endpoint without leading slash.
    Invalid,
}

/// Reads a request; `None` if it is not one.
pub(super) fn parse(payload: &[u8]) -> Option<Parsed> {
    let list = payload.strip_prefix(b"l")?;
    let (head, rest) = byte_string(list)?;
    let (body, rest) = if rest.starts_with(b"e") { (&[][..], rest) } else { byte_string(rest)? };
    if rest != b"e" {
        return None;
    }
    let head: Map<String, Value> = serde_json::from_slice(head).ok()?;
    let target = head.get("endpoint")?.as_str()?.to_owned();
    if !target.starts_with('/') {
        return Some(Parsed::Invalid);
    }
    let method = head.get("method")?.as_str()?.to_owned();
    let headers = head.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (!value.is_empty()).then(|| (name.to_lowercase(), value))
    });
    let headers = headers.collect();
    Some(Parsed::Call(Call { method, target, headers, body: Bytes::copy_from_slice(body) }))
}

fn byte_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().take(20).position(|&byte| byte == b':')?;
    let (length, rest) = bytes.split_at_checked(colon)?;
    let length = std::str::from_utf8(length).ok()?;
    let length = length.bytes().all(|digit| digit.is_ascii_digit()).then(|| length.parse().ok())??;
    rest.get(1..)?.split_at_checked(length)
}

/// Writes a reply.
pub(super) fn encode(outcome: &Outcome) -> Vec<u8> {
    let mut headers: Map<String, Value> = Map::new();
    headers.insert("content-type".to_owned(), outcome.content_type.into());
    for (name, value) in &outcome.headers {
        headers.insert((*name).to_owned(), value.as_str().into());
    }
    let head = json!({"code": outcome.status, "headers": headers}).to_string();
    let mut out = format!("l{}:{head}", head.len()).into_bytes();
    if !outcome.body.is_empty() {
        out.extend(format!("{}:", outcome.body.len()).into_bytes());
        out.extend(&outcome.body);
    }
    out.push(b'e');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(payload: &[u8]) -> Option<Call> {
        match parse(payload)? {
            Parsed::Call(call) => Some(call),
            Parsed::Invalid => None,
        }
    }

    #[test]
    fn requests_with_and_without_body_are_read() {
        let head = r#"{"endpoint":"/file","method":"POST","headers":{"X-FS-TTL":30,"Empty":""}}"#;
        let with = format!("l{}:{head}2:hie", head.len());
        let read = call(with.as_bytes()).unwrap();
        assert_eq!((read.target.as_str(), &read.body[..]), ("/file", &b"hi"[..]));
        assert_eq!(read.headers.get("x-fs-ttl").unwrap(), "30");
        let without = format!("l{}:{head}e", head.len());
        assert!(call(without.as_bytes()).unwrap().body.is_empty());
        let empty = format!("l{}:{head}0:e", head.len());
        assert!(call(empty.as_bytes()).unwrap().body.is_empty());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bad in ["", "l", "le", "l2:{}e", "l9:{}e", "l-1:e", "l2:{}1:ae tail", "l+2:{}e"] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
        let head = r#"{"endpoint":"file","method":"GET"}"#;
        let bare = format!("l{}:{head}e", head.len());
        assert!(matches!(parse(bare.as_bytes()), Some(Parsed::Invalid)));
    }
}
