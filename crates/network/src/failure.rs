//! What every failure means and what is done about it: the table of spec 03 §7, a function for each kind of status.
//!
//! An error can come from two places. A *plain* status from the guard is said by some hop of the path and authenticated
//! by nobody; the *inner* status, decrypted with our key, is the destination's own word. The first costs a path, or has
//! us go around a node for a while, the second counts against the destination. Neither takes anybody off the list.

use septet_protocol::id::Ed25519Public;

/// What to do about a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is a good answer.
    Deliver,
    /// The destination refuses this very request: nobody is to blame. Of a swarm's members a second one is asked; what
    /// both refuse is the caller's matter.
    Refuse,
    /// The path is to blame: have it tested again, try another path.
    PathFailed,
    /// This node of the path, or the destination, is not ready, the one before it says: go around it for a while, have
    /// the path tested.
    NodeNotReady(Ed25519Public),
    /// This node of the path is not known to the one before it: the same.
    HopLost(Ed25519Public),
    /// The destination is not known to the last hop: go around it for a while, try another member.
    DestinationLost,
    /// The destination finds our clock wrong: measure, sign again, try once more.
    ClockOff,
    /// The destination does not keep this account: ask a second node who does, before anybody is followed.
    WrongSwarm,
    /// The destination or the guard has too many requests of ours: wait a second, try another member.
    Busy,
    /// The destination failed: a strike, try another member.
    DestinationFailed,
    /// A server beyond the network failed, or its front end did: try again on another path, blame nobody.
    ServerFailed,
}

/// The guard's plain status and text, other than 200. `destination` is `None` for a server beyond the network.
pub(crate) fn plain(
    status: u16,
    text: &str,
    path: &[Ed25519Public],
    destination: Option<&Ed25519Public>,
) -> Verdict {
    if status == 502
        && let Some(key) =
            named_node(text, &["Next node not found: ", "Next node is currently unreachable: "])
    {
        return match key {
            key if Some(&key) == destination => Verdict::DestinationLost,
            key if path.contains(&key) => Verdict::HopLost(key),
            _ => Verdict::PathFailed,
        };
    }
    if status == 503
        && let Some(key) = named_node(text, &["Snode not ready: "])
        && (path.contains(&key) || Some(&key) == destination)
    {
        return Verdict::NodeNotReady(key);
    }
    match status {
        406 | 425 => Verdict::ClockOff,
        // The guard's own limit for each of its clients.
        429 => Verdict::Busy,
        _ if destination.is_none() && !is_from_a_hop(text) => Verdict::ServerFailed,
        // 421 is never sent plainly by real nodes; unauthenticated, it must not redirect us.
        _ => Verdict::PathFailed,
    }
}

/// A storage node's decrypted status.
pub(crate) fn node(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Deliver,
        406 => Verdict::ClockOff,
        421 => Verdict::WrongSwarm,
        429 => Verdict::Busy,
        // 404 is what `delete` says when nothing matched.
        400 | 401 | 403 | 404 => Verdict::Refuse,
        _ => Verdict::DestinationFailed,
    }
}

/// The statuses within a batch: the one that asks most of us decides, since all parts go to the same node.
pub(crate) fn batch(codes: impl IntoIterator<Item = u16>) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::WrongSwarm => 4,
        Verdict::ClockOff => 3,
        Verdict::DestinationFailed => 2,
        Verdict::Busy => 1,
        // Refused parts are handed to the caller with the others.
        _ => 0,
    };
    let worst = codes.into_iter().map(node).max_by_key(rank);
    worst.filter(|verdict| rank(verdict) > 0).unwrap_or(Verdict::Deliver)
}

/// A server's decrypted code (onion v4).
pub(crate) fn server(code: u16) -> Verdict {
    match code {
        200..=299 => Verdict::Deliver,
        425 => Verdict::ClockOff,
        400..=499 => Verdict::Refuse,
        _ => Verdict::ServerFailed,
    }
}

/// The node that a hop complains about.
fn named_node(text: &str, beginnings: &[&str]) -> Option<Ed25519Public> {
    beginnings.iter().find_map(|beginning| text.strip_prefix(beginning))?.trim().parse().ok()
}

/// Whether a text is one that storage nodes say about onion requests, as opposed to a server behind them (spec 03 §6.8).
fn is_from_a_hop(text: &str) -> bool {
    const TEXTS: [&str; 11] = [
        "Invalid ciphertext",
        "Error parsing onion request",
        "Next node ",
        "Service node is not ready",
        "Server busy, try again later",
        "Snode not ready",
        "Request time out",
        "Invalid response from snode",
        "onion request max path length exceeded",
        "Request body too large",
        "post /onion_req/v2 Not Found",
    ];
    TEXTS.iter().any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Ed25519Public {
        Ed25519Public([n; 32])
    }

    fn from_guard(status: u16, text: &str) -> Verdict {
        plain(status, text, &[key(1), key(2), key(3)], Some(&key(4)))
    }

    #[test]
    fn a_node_that_is_gone_is_dropped_where_it_stands() {
        assert_eq!(from_guard(502, &format!("Next node not found: {}", key(2))), Verdict::HopLost(key(2)));
        let unreachable = format!("Next node is currently unreachable: {}", key(4));
        assert_eq!(from_guard(502, &unreachable), Verdict::DestinationLost);
        assert_eq!(from_guard(502, &format!("Next node not found: {}", key(9))), Verdict::PathFailed);
        assert_eq!(from_guard(502, "Next node not found: nonsense"), Verdict::PathFailed);
    }

    #[test]
    fn a_plain_error_costs_the_path_some_trust() {
        for (status, text) in [
            (400, "Invalid ciphertext"),
            (421, "{\"snodes\":[]}"),
            (500, "Invalid response from snode"),
            (503, "Service node is not ready: syncing"),
            (503, "Server busy, try again later"),
            (504, "Request time out"),
        ] {
            assert_eq!(from_guard(status, text), Verdict::PathFailed, "{status} {text}");
        }
        assert_eq!(from_guard(503, &format!("Snode not ready: {}", key(3))), Verdict::NodeNotReady(key(3)));
        assert_eq!(from_guard(503, &format!("Snode not ready: {}", key(8))), Verdict::PathFailed);
        assert_eq!(from_guard(406, ""), Verdict::ClockOff);
        assert_eq!(from_guard(429, ""), Verdict::Busy);
        assert_eq!(from_guard(425, ""), Verdict::ClockOff);
    }

    #[test]
    fn a_servers_troubles_are_not_the_paths() {
        let path = [key(1), key(2), key(3)];
        let to_server = |status, text| plain(status, text, &path, None);
        assert_eq!(to_server(502, "<html>502 Bad Gateway"), Verdict::ServerFailed);
        assert_eq!(to_server(504, "Connection timed out after 25000 milliseconds"), Verdict::ServerFailed);
        assert_eq!(to_server(400, "<html>Bad request"), Verdict::ServerFailed);
        assert_eq!(to_server(400, "Invalid ciphertext"), Verdict::PathFailed);
        assert_eq!(to_server(504, "Request time out"), Verdict::PathFailed);
        let lost = format!("Next node not found: {}", key(3));
        assert_eq!(to_server(502, &lost), Verdict::HopLost(key(3)));
    }

    #[test]
    fn what_the_destination_says_is_believed() {
        assert_eq!(node(200), Verdict::Deliver);
        for status in [400, 401, 403, 404] {
            assert_eq!(node(status), Verdict::Refuse, "{status}");
        }
        for status in [302, 413, 500, 502, 503] {
            assert_eq!(node(status), Verdict::DestinationFailed, "{status}");
        }
        assert_eq!(
            (node(406), node(421), node(429)),
            (Verdict::ClockOff, Verdict::WrongSwarm, Verdict::Busy)
        );
        assert_eq!(
            (server(425), server(404), server(507)),
            (Verdict::ClockOff, Verdict::Refuse, Verdict::ServerFailed)
        );
    }

    #[test]
    fn a_batch_is_as_bad_as_its_worst_part() {
        assert_eq!(batch([200, 401, 200]), Verdict::Deliver);
        assert_eq!(batch([200, 429, 500]), Verdict::DestinationFailed);
        assert_eq!(batch([406, 500, 200]), Verdict::ClockOff);
        assert_eq!(batch([406, 421]), Verdict::WrongSwarm);
        assert_eq!(batch([]), Verdict::Deliver);
    }
}
