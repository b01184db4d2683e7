//! The account's own profile, and how Note to Self is shown (spec 05 §10).

use zeroize::Zeroizing;

use crate::time::Timestamp;

use super::document::Document;
use super::exchange::{LoadError, Rules};
use super::field::{Fields, check_name};
use super::pro::ProCredential;
use super::value::{Dict, Value};
use super::{Config, FieldError, Kind, Picture, Priority, truncate_name};

const NAME: &[u8] = b"n";
const URL: &[u8] = b"p";
const URL_KEY: &[u8] = b"q";
const REUPLOADED_URL: &[u8] = b"P";
const REUPLOADED_URL_KEY: &[u8] = b"Q";
const UPDATED: &[u8] = b"t";
const REUPLOADED: &[u8] = b"T";
const PRIORITY: &[u8] = b"+";
const TIMER: &[u8] = b"e";
const COMMUNITY_REQUESTS: &[u8] = b"M";
const FEATURES: &[u8] = b"f";
const CREDENTIAL: &[u8] = b"s";
const PRO_EXPIRES: &[u8] = b"E";
const PRO_GRACE: &[u8] = b"G";
const PRO_RENEWS: &[u8] = b"A";
const REFUND: &[u8] = b"R";
const PURCHASE: &[u8] = b"I";

/// How long a request for a refund and a purchase in flight count, in milliseconds: one week.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// From here on an expiry is in milliseconds: older versions wrote those.
const MILLISECONDS_FROM: u64 = 1_000_000_000_000;

/// The profile of the account.
pub struct UserProfile(Document);

impl Config for UserProfile {
    fn kind(&self) -> Kind {
        Kind::UserProfile
    }

    fn document(&self) -> &Document {
        &self.0
    }

    fn document_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

impl UserProfile {
    /// An empty profile of the account with this 32-byte Ed25519 seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self::with_rules(seed, Rules::Current)
    }

    /// An empty profile that follows `rules`.
    pub fn with_rules(seed: &[u8; 32], rules: Rules) -> Self {
        Self(Document::new_user(*seed, Kind::UserProfile, rules))
    }

    /// The profile that was dumped.
    pub fn load(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
        Ok(Self(Self::new(seed).0.load(dump)?))
    }

    /// Takes over a dump, keeping the rules.
    pub fn loaded(self, dump: &[u8]) -> Result<Self, LoadError> {
        Ok(Self(self.0.load(dump)?))
    }

    fn data(&self) -> &Dict {
        self.0.data()
    }

    /// Changes fields; if that changes anything, the profile counts as changed at `now`.
    fn update_touching(&mut self, now: Timestamp, change: impl FnOnce(&mut Dict)) {
        let before = self.data().clone();
        let dated = self.0.rules() == Rules::Current;
        self.0.update(&[], |data| {
            change(data);
            if dated && *data != before {
                touch(data, now);
            }
        });
    }

    /// The display name. A profile without one is not to be shown: keep the old one.
    pub fn name(&self) -> Option<String> {
        self.data().text(NAME)
    }

    /// Sets the display name; an empty one removes it. At most 100 bytes.
    pub fn set_name(&mut self, name: &str, now: Timestamp) -> Result<(), FieldError> {
        let name = check_name(name)?;
        self.update_touching(now, |data| data.put_text(NAME, name));
        Ok(())
    }

    /// Sets the display name, cut to 100 bytes.
    pub fn set_name_truncated(&mut self, name: &str, now: Timestamp) {
        self.update_touching(now, |data| data.put_text(NAME, truncate_name(name)));
    }

    /// The picture to show: the one that was set, or its latest automatic re-upload if that is newer.
    pub fn picture(&self) -> Option<Picture> {
        let data = self.data();
        if data.seconds(UPDATED) >= data.seconds(REUPLOADED) {
            data.picture(URL, URL_KEY)
        } else {
            data.picture(REUPLOADED_URL, REUPLOADED_URL_KEY)
        }
    }

    /// Sets or removes the picture.
    pub fn set_picture(&mut self, picture: Option<&Picture>, now: Timestamp) {
        if self.data().picture(URL, URL_KEY).as_ref() == picture && picture.is_some() {
            return;
        }
        let dated = self.0.rules() == Rules::Current;
        self.0.update(&[], |data| {
            let before = data.clone();
            data.put_picture(URL, URL_KEY, picture);
            if !dated {
                return;
            }
            if *data != before {
                data.put_seconds(UPDATED, Some(now));
            }
            let had_reupload = data.get(REUPLOADED_URL).is_some() || data.get(REUPLOADED_URL_KEY).is_some();
            if picture.is_none() && had_reupload {
                data.put_picture(REUPLOADED_URL, REUPLOADED_URL_KEY, None);
                data.put_seconds(REUPLOADED, Some(now));
            }
        });
    }

    /// Sets where the same picture was uploaded again, without the user's doing.
    pub fn set_reuploaded_picture(&mut self, picture: Option<&Picture>, now: Timestamp) {
        self.0.update(&[], |data| {
            let before = data.clone();
            data.put_picture(REUPLOADED_URL, REUPLOADED_URL_KEY, picture);
            if *data != before {
                data.put_seconds(REUPLOADED, Some(now));
            }
        });
    }

    /// When the profile last changed, for outgoing messages; `None` if it is not dated.
    pub fn updated(&self) -> Option<Timestamp> {
        let updated = self.data().seconds(UPDATED)?;
        Some(updated.max(self.data().seconds(REUPLOADED).unwrap_or_default()))
    }

    /// A change that was dated by a wrong clock counts as made at `now`, if it claims to be later; else nobody would
    /// take over a change before that time comes. Only for what no other device has seen.
    pub fn bring_down(&mut self, now: Timestamp) {
        self.0.update(&[], |data| {
            for field in [UPDATED, REUPLOADED] {
                if data.seconds(field).is_some_and(|at| at > now) {
                    data.put_seconds(field, Some(now));
                }
            }
        });
    }

    /// Where Note to Self stands in the list.
    pub fn note_to_self_priority(&self) -> Priority {
        Priority(self.data().int(PRIORITY).unwrap_or(0))
    }

    /// Sets where Note to Self stands in the list.
    pub fn set_note_to_self_priority(&mut self, priority: Priority) {
        self.0.update(&[], |data| data.put_nonzero(PRIORITY, priority.0));
    }

    /// After how many seconds notes to self disappear (after sending); `None` if they stay.
    pub fn note_to_self_timer(&self) -> Option<u64> {
        self.data().positive(TIMER)
    }

    /// Sets after how many seconds notes to self disappear.
    pub fn set_note_to_self_timer(&mut self, seconds: Option<u64>) {
        self.0.update(&[], |data| data.put_positive(TIMER, seconds));
    }

    /// Whether people in communities may write to this account; `None` if that was never set.
    pub fn community_requests(&self) -> Option<bool> {
        self.data().int(COMMUNITY_REQUESTS).map(|value| value != 0)
    }

    /// Sets whether people in communities may write to this account.
    pub fn set_community_requests(&mut self, allowed: Option<bool>, now: Timestamp) {
        self.update_touching(now, |data| match allowed {
            Some(allowed) => data.insert(COMMUNITY_REQUESTS, Value::Int(allowed.into())),
            None => data.remove(COMMUNITY_REQUESTS),
        });
    }

    /// The Pro features shown on the profile, bit by bit: 0 the badge, 1 an animated picture.
    pub fn pro_features(&self) -> u64 {
        self.data().bits(FEATURES)
    }

    /// Sets the Pro features shown on the profile.
    pub fn set_pro_features(&mut self, bits: u64, now: Timestamp) {
        self.update_touching(now, |data| data.put_bits(FEATURES, bits));
    }

    /// The Pro credential, if there is one that can be read.
    pub fn pro_credential(&self) -> Option<ProCredential> {
        ProCredential::from_value(self.data().get(CREDENTIAL)?)
    }

    /// Sets the Pro credential. One that has not ended clears the mark of a purchase in flight.
    pub fn set_pro_credential(&mut self, credential: Option<&ProCredential>, now: Timestamp) {
        self.update_touching(now, |data| match credential {
            Some(credential) => {
                let bytes = Zeroizing::new(credential.to_bytes());
                data.insert(CREDENTIAL, Value::from(bytes.as_slice()));
                if credential.expires > now {
                    data.remove(PURCHASE);
                }
            }
            None => data.remove(CREDENTIAL),
        });
    }

    /// When Pro ends.
    pub fn pro_expires(&self) -> Option<Timestamp> {
        let value = self.data().positive(PRO_EXPIRES)?;
        Some(Timestamp::from_ms(if value > MILLISECONDS_FROM { value } else { value.saturating_mul(1000) }))
    }

    /// Sets when Pro ends. A time in the future clears the mark of a purchase in flight and an old request for a
    /// refund; removing it removes the grace period too.
    pub fn set_pro_expires(&mut self, expires: Option<Timestamp>, now: Timestamp) {
        self.0.update(&[], |data| {
            data.put_seconds(PRO_EXPIRES, expires);
            match expires {
                None => data.remove(PRO_GRACE),
                Some(expires) if expires > now => {
                    data.remove(PURCHASE);
                    if data.seconds(REFUND).is_some_and(|refund| now.since(refund) > WEEK_MS) {
                        data.remove(REFUND);
                    }
                }
                Some(_) => {}
            }
        });
    }

    /// How many seconds Pro goes on after it has ended, if that was set.
    pub fn pro_grace(&self) -> Option<i64> {
        self.data().int(PRO_GRACE).filter(|&value| value != 0)
    }

    /// Sets how many seconds Pro goes on after it has ended.
    pub fn set_pro_grace(&mut self, seconds: Option<i64>) {
        self.0.update(&[], |data| data.put_nonzero(PRO_GRACE, seconds.unwrap_or(0)));
    }

    /// Whether Pro renews itself.
    pub fn pro_renews(&self) -> bool {
        self.data().flag(PRO_RENEWS)
    }

    /// Sets whether Pro renews itself.
    pub fn set_pro_renews(&mut self, renews: bool) {
        self.0.update(&[], |data| data.put_flag(PRO_RENEWS, renews));
    }

    /// When a refund was asked for, if that was less than a week before `now`.
    pub fn refund_requested(&self, now: Timestamp) -> Option<Timestamp> {
        self.data().seconds(REFUND).filter(|&at| now.since(at) <= WEEK_MS)
    }

    /// Sets when a refund was asked for.
    pub fn set_refund_requested(&mut self, at: Option<Timestamp>, now: Timestamp) {
        let dated = self.0.rules() == Rules::Current;
        self.0.update(&[], |data| {
            data.put_seconds(REFUND, at);
            if dated && at.is_some() {
                touch(data, now);
            }
        });
    }

    /// Since when a purchase is in flight, if that was less than a week before `now`.
    pub fn purchase_pending(&self, now: Timestamp) -> Option<Timestamp> {
        self.data().seconds(PURCHASE).filter(|&at| now.since(at) <= WEEK_MS)
    }

    /// Sets since when a purchase is in flight.
    pub fn set_purchase_pending(&mut self, since: Option<Timestamp>, now: Timestamp) {
        self.update_touching(now, |data| data.put_seconds(PURCHASE, since));
    }
}

/// Dates the profile: the later one of its two dates becomes `now`.
fn touch(data: &mut Dict, now: Timestamp) {
    let reuploaded = data.seconds(REUPLOADED) > data.seconds(UPDATED);
    data.put_seconds(if reuploaded { REUPLOADED } else { UPDATED }, Some(now));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    #[test]
    fn a_change_dates_the_profile_and_a_repetition_does_not() {
        let mut profile = UserProfile::new(&SEED);
        profile.set_name("Ann", at(100)).unwrap();
        assert_eq!(profile.updated(), Some(at(100)));
        profile.set_name("Ann", at(200)).unwrap();
        profile.set_note_to_self_priority(Priority::HIDDEN);
        profile.set_note_to_self_timer(Some(60));
        assert_eq!(profile.updated(), Some(at(100)));
        let picture = Picture::new("http://x/1", &[1; 32]).unwrap();
        profile.set_picture(picture.as_ref(), at(300));
        assert_eq!((profile.picture(), profile.updated()), (picture.clone(), Some(at(300))));
        profile.set_picture(picture.as_ref(), at(400));
        assert_eq!(profile.updated(), Some(at(300)));
    }

    #[test]
    fn a_reupload_is_shown_until_the_picture_changes() {
        let mut profile = UserProfile::new(&SEED);
        let first = Picture::new("http://x/1", &[1; 32]).unwrap();
        let again = Picture::new("http://x/2", &[2; 32]).unwrap();
        profile.set_picture(first.as_ref(), at(100));
        profile.set_reuploaded_picture(again.as_ref(), at(150));
        assert_eq!((profile.picture(), profile.updated()), (again.clone(), Some(at(150))));
        profile.set_name("Ann", at(160)).unwrap();
        assert_eq!((profile.picture(), profile.updated()), (again, Some(at(160))));
        profile.set_picture(None, at(170));
        assert_eq!((profile.picture(), profile.updated()), (None, Some(at(170))));
        assert!(profile.data().get(REUPLOADED_URL).is_none());
    }

    #[test]
    fn what_is_too_long_is_refused_and_changes_nothing() {
        let mut profile = UserProfile::new(&SEED);
        assert_eq!(profile.set_name(&"é".repeat(51), at(1)), Err(FieldError::NameTooLong { length: 102 }));
        assert!(Picture::new(&"u".repeat(224), &[0; 32]).is_err());
        assert!(Picture::new("u", &[0; 31]).is_err());
        assert!(!profile.needs_push());
        profile.set_name_truncated(&"é".repeat(51), at(1));
        assert_eq!(profile.name().map(|name| name.len()), Some(100));
    }

    #[test]
    fn pro_fields_follow_their_rules() {
        let mut profile = UserProfile::new(&SEED);
        let credential = ProCredential {
            expires: at(1_790_000_000),
            revocation_tag: [3; 32],
            rotating_seed: [2; 32].into(),
            signature: [4; 64],
        };
        profile.set_purchase_pending(Some(at(1000)), at(1000));
        assert_eq!(profile.purchase_pending(at(1001)), Some(at(1000)));
        assert_eq!(profile.purchase_pending(at(1000 + 604_801)), None);
        profile.set_pro_credential(Some(&credential), at(1002));
        assert!(profile.pro_credential() == Some(credential));
        assert_eq!(profile.purchase_pending(at(1003)), None);
        profile.set_pro_expires(Some(at(5000)), at(1003));
        profile.set_pro_grace(Some(50));
        profile.set_pro_features(0b11, at(1004));
        assert_eq!(
            (profile.pro_expires(), profile.pro_features(), profile.pro_grace()),
            (Some(at(5000)), 3, Some(50))
        );
        profile.set_pro_expires(None, at(1005));
        assert_eq!((profile.pro_expires(), profile.pro_grace()), (None, None));
    }
}
