//! Configs: the contacts of people who know many.

use data_encoding::HEXLOWER;

use septet_protocol::config::{Config, Contact, Contacts, Picture, StorageHash};
use septet_protocol::crypto::blake2b;
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use crate::measure::Bench;

const SEED: [u8; 32] = [7; 32];
const NOW: Timestamp = Timestamp::from_ms(1_735_689_600_000);

/// Contacts with a name of about 20 bytes, approved on both sides, with a date, and perhaps a picture.
fn people(count: u32, with_picture: bool) -> Vec<Contact> {
    let person = |number: u32| {
        let id = blake2b::<32>(&[], &[&number.to_be_bytes()]);
        let url = format!("http://filev2.getsession.org/file/{:08}", 10_000_000 + number);
        Contact {
            name: format!("Somebody {:.10}", HEXLOWER.encode(&blake2b::<16>(b"name", &[&id]))),
            approved: true,
            approved_us: true,
            created: Some(Timestamp::from_ms(1_650_000_000_000 + u64::from(number) * 1000)),
            picture: Picture::new(if with_picture { &url } else { "" }, &blake2b::<32>(b"key", &[&id]))
                .ok()
                .flatten(),
            ..Contact::new(SessionId(id))
        }
    };
    (0..count).map(person).collect()
}

fn create(people: &[Contact]) -> Contacts {
    let mut contacts = Contacts::new(&SEED);
    for person in people {
        // Only nicknames can be refused, and there are none.
        let _stored = contacts.set(person);
    }
    contacts
}

/// Creating, pushing, merging, dumping and loading.
pub fn run(bench: &Bench) {
    for (count, with_picture) in [(1000, false), (300, true), (100, true)] {
        contacts(bench, count, with_picture);
    }
}

fn contacts(bench: &Bench, count: u32, with_picture: bool) {
    let people = people(count, with_picture);
    let mut full = create(&people);
    let Ok(push) = full.push(NOW) else { return };
    let [message] = push.messages.as_slice() else { return };
    full.confirm_pushed(push.seqno, &["hash".into()]);
    let dump = full.dump();
    let pictures = if with_picture { "with picture" } else { "without picture" };
    bench.section(&format!(
        "{count} contacts {pictures}: dump {} bytes, message {} bytes",
        dump.len(),
        message.len()
    ));
    let name = |operation: &str| format!("config, {count} contacts: {operation}");
    bench.run(&name("create and set all"), || create(&people));
    bench.run(&name("load from a dump, then push: compress, encrypt, wrap"), || {
        Contacts::load(&SEED, &dump).map(|mut contacts| contacts.push(NOW)).ok()
    });
    bench.run(&name("push again, nothing changed"), || full.push(NOW));
    let mut flip = false;
    bench.run(&name("change one, push, confirm"), || {
        flip = !flip;
        let changed = people.first().map(|person| Contact { blocked: flip, ..person.clone() });
        let _stored = changed.map(|person| full.set(&person));
        let push = full.push(NOW);
        if let Ok(push) = &push {
            full.confirm_pushed(push.seqno, &["hash".into()]);
        }
        push
    });
    let incoming: [(StorageHash, &[u8]); 1] = [("hash".into(), message)];
    bench.run(&name("merge into an empty config"), || Contacts::new(&SEED).merge(&incoming, NOW));
    bench.run(&name("dump"), || full.dump());
    bench.run(&name("load from a dump"), || Contacts::load(&SEED, &dump).is_ok());
    // Last, because the document stays dirty: nothing of what is dumped has been written before.
    bench.run(&name("change one, dump"), || {
        flip = !flip;
        let changed = people.first().map(|person| Contact { blocked: flip, ..person.clone() });
        let _stored = changed.map(|person| full.set(&person));
        full.dump()
    });
}
