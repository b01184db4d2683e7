//! Pages of the web, from servers that are as websites should not be.

use std::time::Duration;

use septet_devnet::{Devnet, WebAnswer, Website};
use septet_network::web::{MAX_REDIRECTS, PreviewUrl, Take, WebError, WebPage};
use septet_network::{Network, NetworkConfig};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::world::KEY;

const HTML: Take = Take::First(512_000);

/// A website, and a client that believes its certificate.
struct Visit {
    site: Website,
    network: Network,
    _devnet: Devnet,
    _folder: TempDir,
}

impl Visit {
    async fn new() -> Self {
        let devnet = Devnet::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("website.pem");
        std::fs::write(&certificate, Website::certificate()).unwrap();
        let toml = format!("web_certificates = [\"website.pem\"]\n{}", devnet.network_toml());
        let file = folder.path().join("network.toml");
        std::fs::write(&file, toml).unwrap();
        let network = Network::start(NetworkConfig::load(&file).unwrap(), folder.path(), &KEY).unwrap();
        Self { site: Website::start().await.unwrap(), network, _devnet: devnet, _folder: folder }
    }

    async fn fetch(&self, path: &str, take: Take) -> Result<WebPage, WebError> {
        let url = PreviewUrl::parse(&self.site.url(path)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        self.network.fetch_web(&url, "text/html", take, deadline).await
    }
}

#[tokio::test]
async fn a_page_is_fetched_and_nobody_can_tell_who_asks() {
    let visit = Visit::new().await;
    visit.site.put_html("/a?b=c", "<title>Hello</title>");
    let page = visit.fetch("/a?b=c", HTML).await.unwrap();
    assert_eq!(page.body, b"<title>Hello</title>");
    assert_eq!(
        (page.url.as_str(), page.content_type.as_str()),
        (&*visit.site.url("/a?b=c"), "text/html; charset=utf-8")
    );
    let asked = visit.site.asked();
    let names: Vec<_> = asked[0]
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    assert_eq!(names, ["host", "user-agent", "accept", "accept-language"]);
    assert_eq!(visit.fetch("/nothing", HTML).await.unwrap_err(), WebError::Status(404));
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_further() {
    let visit = Visit::new().await;
    for step in 1..=MAX_REDIRECTS {
        visit.site.put(&format!("/{step}"), WebAnswer::Redirect(format!("/{}", step - 1)));
    }
    visit.site.put_html("/0", "there");
    let page = visit.fetch(&format!("/{MAX_REDIRECTS}"), HTML).await.unwrap();
    assert_eq!((page.body.as_slice(), page.url.as_str()), (&b"there"[..], &*visit.site.url("/0")));
    // Cookies that it sets on the way are not sent on.
    assert!(visit.site.asked().iter().all(|asked| !asked.to_lowercase().contains("cookie")));
    let before = visit.site.asked().len();
    visit.site.put("/loop", WebAnswer::Redirect("/loop".to_owned()));
    assert_eq!(visit.fetch("/loop", HTML).await.unwrap_err(), WebError::Astray);
    assert_eq!(visit.site.asked().len() - before, MAX_REDIRECTS + 1);
    let plain = visit.site.url("/0").replace("https", "http");
    for to in
        [plain.as_str(), "https://user@127.0.0.1/", "https://localhost/", "javascript:x", "ftp://a.example/"]
    {
        visit.site.put("/away", WebAnswer::Redirect(to.to_owned()));
        assert_eq!(visit.fetch("/away", HTML).await.unwrap_err(), WebError::Astray, "{to}");
    }
}

#[tokio::test]
async fn of_an_endless_page_the_beginning_is_enough() {
    let visit = Visit::new().await;
    visit.site.put("/", WebAnswer::Endless("text/html".to_owned(), b"<title>Long</title>".to_vec()));
    let page = visit.fetch("/", HTML).await.unwrap();
    assert_eq!(page.body.len(), 512_000);
    assert!(page.body.starts_with(b"<title>Long</title>"));
    assert_eq!(visit.fetch("/", Take::AtMost(1_048_576)).await.unwrap_err(), WebError::TooLarge);
}

#[tokio::test]
async fn a_reply_that_is_none_breaks_nothing() {
    let visit = Visit::new().await;
    for reply in [&b""[..], b"\x16\x03\x01 what", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"] {
        visit.site.put("/", WebAnswer::Raw(reply.to_vec()));
        assert_eq!(visit.fetch("/", HTML).await.unwrap_err(), WebError::Broken, "{reply:?}");
    }
    visit.site.put("/", WebAnswer::Raw(b"HTTP/1.1 302 Found\r\n\r\n".to_vec()));
    assert_eq!(visit.fetch("/", HTML).await.unwrap_err(), WebError::Astray);
}

#[tokio::test]
async fn a_page_that_never_comes_is_given_up_at_the_deadline() {
    let visit = Visit::new().await;
    visit.site.put("/", WebAnswer::Silence);
    let url = PreviewUrl::parse(&visit.site.url("/")).unwrap();
    let deadline = Instant::now() + Duration::from_millis(200);
    let fetched = visit.network.fetch_web(&url, "text/html", HTML, deadline).await;
    assert_eq!(fetched.unwrap_err(), WebError::TimedOut);
    // Sent on and on, slowly, is no way around it.
    visit.site.put("/slow", WebAnswer::Endless("text/html".to_owned(), Vec::new()));
    let url = PreviewUrl::parse(&visit.site.url("/slow")).unwrap();
    let deadline = Instant::now() + Duration::from_millis(200);
    let fetched = visit.network.fetch_web(&url, "text/html", Take::First(usize::MAX), deadline).await;
    assert_eq!(fetched.unwrap_err(), WebError::TimedOut);
}

#[tokio::test]
async fn without_a_certificate_that_browsers_trust_nothing_is_asked() {
    let visit = Visit::new().await;
    visit.site.put_html("/", "secret");
    let folder = tempfile::tempdir().unwrap();
    let config = NetworkConfig::from_toml(&visit._devnet.network_toml()).unwrap();
    let doubting = Network::start(config, folder.path(), &KEY).unwrap();
    let url = PreviewUrl::parse(&visit.site.url("/")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    assert_eq!(
        doubting.fetch_web(&url, "text/html", HTML, deadline).await.unwrap_err(),
        WebError::Unreachable
    );
    assert_eq!(visit.site.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn on_the_real_network_no_door_of_this_machine_is_knocked_at() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    // It needs no network for this: nothing of it is asked.
    let network = Network::start(NetworkConfig::mainnet(), folder.path(), &KEY).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    for host in ["127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254"] {
        let url = PreviewUrl::parse(&format!("https://{host}:{port}/")).unwrap();
        let error = network.fetch_web(&url, "text/html", HTML, deadline).await.unwrap_err();
        assert_eq!(error, WebError::NotPublic, "{host}");
    }
    let knocked = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(knocked.is_err());
}
