//! Doing what was decided: tests of paths, lists of nodes, files ([`crate::policy`]).
//!
//! One task takes the policy's orders and starts each beside the others, tells the policy what came of it, and calls it
//! when its time has come. It has no opinion of its own, and sleeps when there is nothing to do.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use septet_protocol::swarm::{Node, Rpc};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::disk::{Disk, SavedNodes};
use crate::failure::Verdict;
use crate::http::PostOptions;
use crate::onion::Fault;
use crate::path;
use crate::policy::{Action, Outcome, Policy, Probe, Source, TestId};
use crate::shared::Shared;
use crate::status::Connection;

/// How long a path's test may be silent.
const TEST_LIMIT: Duration = Duration::from_secs(5);
/// How long a guard may be silent at a direct question.
const PROBE_LIMIT: Duration = Duration::from_secs(4);

/// The tests of two paths tell the time; if they do not within this time, it is asked for.
const TIME_WAIT: Duration = Duration::from_secs(1);
/// Longest wait between two measurements that brought nothing.
const TIME_LONGEST: Duration = Duration::from_secs(30);

/// Carries out orders for ever.
pub(crate) async fn run(shared: Arc<Shared>, disk: Disk, mut orders: mpsc::UnboundedReceiver<Action>) {
    let mut work = JoinSet::new();
    let mut slept = shared.http.slept();
    let mut known = shared.clock.watch();
    shared.tell(|_, _| ());
    loop {
        let due = shared.next_wake();
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => carry_out(&shared, &disk, order, &mut work),
                None => return,
            },
            () = shared.wake.notified() => {}
            // Ended work has told what came of it; here it is only cleared away.
            Some(_) = work.join_next() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                shared.tell(|_, _| ());
            }
            // A short run may end before a path is tested again, and the next one is to know the time.
            changed = known.changed() => match changed {
                Ok(()) => save_clock(&shared, &disk),
                Err(_) => return,
            },
            changed = slept.changed() => match changed {
                Ok(()) => {
                    shared.tell(|policy, _| policy.line_changed());
                    shared.wakes.send_modify(|wakes| *wakes += 1);
                }
                Err(_) => return,
            },
        }
    }
}

fn carry_out(shared: &Arc<Shared>, disk: &Disk, order: Action, work: &mut JoinSet<()>) {
    let shared = shared.clone();
    match order {
        Action::Test(id, nodes) => _ = work.spawn(test(shared, disk.clone(), id, nodes)),
        Action::Probe(probe) => _ = work.spawn(ask_guard(shared, probe)),
        Action::Fetch(source) => _ = work.spawn(fetch(shared, source)),
        Action::SaveNodes => {
            let nodes = shared.ask_policy(|policy| policy.pool.nodes().to_vec());
            let fetched = shared.clock.now().as_ms().cast_signed();
            disk.save_nodes(SavedNodes { fetched, nodes });
        }
        Action::SaveGuards(guards) => disk.save_guards(guards),
        // These are carried out where they are decided.
        Action::Open(..) | Action::Retire(_) | Action::Close(_) => {}
    }
}

/// Asks the exit of a path for its clock, through the other two: nobody else is involved, so a failure is the path's
/// own; nothing about us is in the request, and the clock comes for free.
async fn test(shared: Arc<Shared>, disk: Disk, id: TestId, nodes: [Node; 3]) {
    let [guard, middle, exit] = nodes;
    let hops = [path::hop(guard), path::hop(middle)];
    let options = PostOptions::silent_for(TEST_LIMIT * shared.http.patience());
    let answer = shared.ask_over(&guard, &hops, &exit, &Rpc::info(), &options).await;
    let outcome = match answer {
        Ok(answer) if answer.status == 200 => Outcome::Passed,
        Ok(_) => Outcome::Bad(Verdict::PathFailed),
        Err(fault) => outcome(&shared, &nodes, &fault),
    };
    tracing::debug!(?id, ?outcome, "path tested");
    shared.tell(|policy, now| policy.tested(id, outcome, now));
    save_clock(&shared, &disk);
}

fn save_clock(shared: &Shared, disk: &Disk) {
    if let Some(clock) = shared.clock.to_save() {
        disk.save_clock(clock);
    }
}

fn outcome(shared: &Shared, nodes: &[Node; 3], fault: &Fault) -> Outcome {
    let [guard, middle, exit] = nodes;
    match fault {
        // It works; we are asking too much of it.
        Fault::Plain { status: 429, .. } => Outcome::Passed,
        Fault::NoNetwork => Outcome::NoNetwork,
        // Behind a transfer everything takes long.
        Fault::NoReply | Fault::GuardUnreachable if shared.http.moving(guard) => Outcome::Unclear,
        Fault::Slow => Outcome::Unclear,
        Fault::GuardUnreachable => Outcome::GuardSilent,
        Fault::NoReply | Fault::Broken | Fault::PathLost => Outcome::NoReply,
        Fault::Plain { .. } | Fault::TooLarge | Fault::Unreadable => {
            Outcome::Bad(fault.verdict(&[guard.ed25519, middle.ed25519], Some(&exit.ed25519)))
        }
    }
}

/// Asks a guard a direct question that says nothing about us.
async fn ask_guard(shared: Arc<Shared>, probe: Probe) {
    let [guard, _, _] = probe.nodes;
    let options = PostOptions::silent_for(PROBE_LIMIT * shared.http.patience());
    let answers = shared.http.post_rpc(&guard, Rpc::info().to_json(), &options).await.is_ok();
    shared.tell(|policy, now| policy.probed(probe, answers, now));
}

async fn fetch(shared: Arc<Shared>, source: Source) {
    let nodes = match source {
        Source::Nodes => shared.fetch_from_nodes().await,
        Source::Seeds => shared.fetch_from_seeds().await,
        Source::Bootstrap => shared.fetch_from_bootstrap().await,
        // The policy has it already.
        Source::Snapshot => None,
    };
    tracing::info!(?source, count = nodes.as_ref().map(Vec::len), "node list");
    shared.tell(|policy: &mut Policy, now| policy.listed(source, nodes, now));
}

/// Asks for the network's time as soon as there is a connection, until it is known.
pub(crate) async fn seek_time(shared: Arc<Shared>) {
    let mut status = shared.status.subscribe();
    let mut wait = TIME_WAIT;
    while shared.clock.known().is_none() {
        if status.wait_for(|status| status.connection == Connection::Connected).await.is_err() {
            return;
        }
        tokio::select! {
            _ = shared.clock.until_known() => return,
            () = sleep(wait) => shared.measure_clock(Some(Instant::now())).await,
        }
        wait = (wait * 2).min(TIME_LONGEST);
    }
}

/// Tells the policy when the machine's way to the world is another: a cable, a hotspot, a tunnel has come or gone.
///
/// While there is no connection, the system is asked once a second which local address would be used towards a node;
/// nothing is sent for that.
pub(crate) async fn watch_way(shared: Arc<Shared>) {
    let mut status = shared.status.subscribe();
    loop {
        if status.wait_for(|status| status.connection != Connection::Connected).await.is_err() {
            return;
        }
        let mut before = way(&shared);
        while status.borrow_and_update().connection != Connection::Connected {
            sleep(Duration::from_secs(1)).await;
            let now = way(&shared);
            if now != before {
                before = now;
                shared.tell(|policy, _| policy.line_changed());
            }
        }
    }
}

fn way(shared: &Shared) -> Option<IpAddr> {
    let node = shared.ask_policy(|policy| policy.pool.nodes().first().copied())?;
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect((node.ip, node.port)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
