//! The socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// Port of the default address.
pub const PORT: u16 = 8080;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// An address that is ours, where nobody is answered yet.
#[derive(Debug)]
pub struct Claim {
    socket: OwnedFd,
    address: SocketAddr,
}

/// Claims `address`, or the default one: every address of both IP families,
/// of IPv4 where the machine has no IPv6. The error names the address.
pub fn claim(address: Option<SocketAddr>) -> Result<Claim, (SocketAddr, io::Error)> {
    let Some(address) = address else {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
        return claim_one(both).or_else(|error| match error.raw_os_error() {
            // Only where IPv6 is missing: a taken port stays an error.
            Some(code) if is_without_ipv6(code) => {
                let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
                claim_one(address).map_err(|error| (address, error))
            }
            _ => Err((both, error)),
        });
    };
    claim_one(address).map_err(|error| (address, error))
}

fn is_without_ipv6(code: i32) -> bool {
    [rustix::io::Errno::AFNOSUPPORT, rustix::io::Errno::ADDRNOTAVAIL].iter().any(|errno| errno.raw_os_error() == code)
}

fn claim_one(address: SocketAddr) -> io::Result<Claim> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // IPv4 clients too, whatever the system's default says.
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    bind(&socket, &address)?;
    Ok(Claim { socket, address })
}

impl Claim {
    /// The address that was claimed.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to take connections.
    pub fn listen(self) -> Result<TcpListener, (SocketAddr, io::Error)> {
        listen(&self.socket, BACKLOG).map_err(|error| (self.address, error.into()))?;
        Ok(TcpListener::from(self.socket))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn one_socket_takes_both_families() {
        let Ok(claimed) = claim(Some("[::]:0".parse().expect("an address"))) else {
            eprintln!("skipped: this machine has no IPv6");
            return;
        };
        let listener = claimed.listen().expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        for host in ["127.0.0.1", "[::1]"] {
            let mut stream = TcpStream::connect(format!("{host}:{port}")).expect("a connection");
            stream.write_all(b"x").expect("a byte goes out");
        }
    }

    #[test]
    fn a_taken_port_is_refused_by_name() {
        let listener = claim(Some("127.0.0.1:0".parse().expect("an address"))).expect("free").listen().expect("free");
        let taken = listener.local_addr().expect("an address");
        let (address, error) = claim(Some(taken)).expect_err("taken");
        assert_eq!((address, error.kind()), (taken, io::ErrorKind::AddrInUse));
    }
}
