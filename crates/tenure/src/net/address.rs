//! Where a service is: `tenure://host:port`.

use crate::{Error, ErrorKind};
use std::fmt;
use std::str::FromStr;

/// The port that a service listens on unless told otherwise.
pub const PORT: u16 = 6388;

/// Where one service is. As a text it is written `tenure://HOST:PORT`, or `tenures://…` for TLS; the port may be left
/// out.
///
/// ```
/// use tenure::net::{Address, PORT};
///
/// let address: Address = "tenures://locks.internal".parse()?;
/// assert_eq!(address, Address { tls: true, host: "locks.internal".to_owned(), port: PORT });
/// assert_eq!(address.to_string(), "tenures://locks.internal:6388");
/// # Ok::<(), tenure::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether the connection is encrypted (`tenures://`).
    pub tls: bool,
    /// A host name or an IP address, without the brackets that an IPv6 address has in a URL.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads several, with commas between them: `tenure://HOST:PORT,HOST:PORT`.
    ///
    /// # Errors
    ///
    /// `Invalid`: one of them is none.
    ///
    /// ```
    /// use tenure::net::Address;
    ///
    /// let addresses = Address::list("tenure://a,b:7000,[::1]")?;
    /// let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, ["tenure://a:6388", "tenure://b:7000", "tenure://[::1]:6388"]);
    /// # Ok::<(), tenure::Error>(())
    /// ```
    pub fn list(text: &str) -> Result<Vec<Self>, Error> {
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        rest.split(',').map(|each| format!("{scheme}://{each}").parse()).collect()
    }
}

const SCHEME: &str = "the address of a service is written tenure://HOST:PORT";
const SEVERAL: &str = "one service only: this names several";
const EXTRA: &str = "nothing but a host and a port belongs into the address of a service";
const NO_HOST: &str = "there is no host in it";
const IPV6: &str = "an IPv6 address is written in brackets, as in tenure://[::1]:6388";
const PORT_RANGE: &str = "the port is a number from 1 to 65535";

impl FromStr for Address {
    type Err = Error;

    /// Reads it; the error is `Invalid` and says what is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|why| Error::new(ErrorKind::Invalid, why))
    }
}

fn parse(text: &str) -> Result<Address, &'static str> {
    let (tls, rest) = scheme(text).ok_or(SCHEME)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(',') {
        return Err(SEVERAL);
    }
    if rest.contains(['/', '@', '?', '#']) || rest.contains(char::is_whitespace) {
        return Err(EXTRA);
    }
    let (host, port) = split_port(rest)?;
    if host.is_empty() {
        return Err(NO_HOST);
    }
    Ok(Address { tls, host: host.to_owned(), port })
}

fn scheme(text: &str) -> Option<(bool, &str)> {
    text.strip_prefix("tenure://")
        .map(|rest| (false, rest))
        .or_else(|| text.strip_prefix("tenures://").map(|rest| (true, rest)))
}

fn split_port(text: &str) -> Result<(&str, u16), &'static str> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or(IPV6)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| IPV6)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, parse_port(port)?)),
            None if after.is_empty() => Ok((host, PORT)),
            None => Err(PORT_RANGE),
        };
    }
    match text.split_once(':') {
        None => Ok((text, PORT)),
        Some((_, more)) if more.contains(':') => Err(IPV6),
        Some((host, port)) => Ok((host, parse_port(port)?)),
    }
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) => Err(PORT_RANGE),
        Ok(port) => Ok(port),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tenures" } else { "tenure" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(tls: bool, host: &str, port: u16) -> Result<Address, &'static str> {
        Ok(Address { tls, host: host.to_owned(), port })
    }

    #[test]
    fn host_and_port_are_read_and_the_port_may_be_left_out() {
        assert_eq!(parse("tenure://127.0.0.1:7000"), address(false, "127.0.0.1", 7000));
        assert_eq!(parse("tenure://locks.internal"), address(false, "locks.internal", PORT));
        assert_eq!(parse("tenures://locks:1/"), address(true, "locks", 1));
    }

    #[test]
    fn an_ipv6_address_needs_brackets() {
        assert_eq!(parse("tenure://[::1]:7000"), address(false, "::1", 7000));
        assert_eq!(parse("tenure://[::1]"), address(false, "::1", PORT));
        assert_eq!(parse("tenure://::1"), Err(IPV6));
        assert_eq!(parse("tenure://[host]:1"), Err(IPV6));
        assert_eq!(parse("tenure://[::1"), Err(IPV6));
        assert_eq!(parse("tenure://[::1]7"), Err(PORT_RANGE));
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("127.0.0.1:6388", SCHEME),
            ("redis://localhost", SCHEME),
            ("tenure://", NO_HOST),
            ("tenure://:6388", NO_HOST),
            ("tenure://a:0", PORT_RANGE),
            ("tenure://a:70000", PORT_RANGE),
            ("tenure://a:", PORT_RANGE),
            ("tenure://a,b", SEVERAL),
            ("tenure://me@a", EXTRA),
            ("tenure://a/path", EXTRA),
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert_eq!((error.kind(), error.to_string().as_str()), (&ErrorKind::Invalid, why), "{text}");
        }
    }

    #[test]
    fn an_address_prints_as_it_is_written() {
        for text in ["tenure://[::1]:7000", "tenures://locks:6388"] {
            assert_eq!(text.parse::<Address>().expect("an address").to_string(), text);
        }
    }
}
