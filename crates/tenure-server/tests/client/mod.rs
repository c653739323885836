//! A daemon in this process, and a client that speaks to it line by line.

use std::net::SocketAddr;
use std::time::Duration;
use tenure_server::{Config, Server};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far longer than anything here takes, and far shorter than the leases.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Client(pub(crate) BufReader<TcpStream>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.expect("a connection")))
    }

    pub(crate) async fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).await.expect("sent");
    }

    pub(crate) async fn answer(&mut self) -> String {
        let mut line = String::new();
        timeout(SOON, self.0.read_line(&mut line)).await.expect("an answer in time").expect("an answer");
        line.trim_end().to_owned()
    }

    pub(crate) async fn ask(&mut self, request: &str) -> String {
        self.send(request).await;
        self.answer().await
    }

    pub(crate) async fn ask_until(&mut self, request: &str, done: impl Fn(&str) -> bool) -> String {
        let asked = timeout(SOON, async {
            loop {
                let answer = self.ask(request).await;
                if done(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        });
        asked.await.expect("the answer that is waited for")
    }
}

pub(crate) fn start(config: Config) -> SocketAddr {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..config };
    let server = Server::bind(config).expect("a free port");
    let address = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    address
}

pub(crate) fn token(answer: &str) -> &str {
    answer.split(' ').nth(1).expect("a token")
}
