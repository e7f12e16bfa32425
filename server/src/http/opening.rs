//! How a connection begins: a clock on what it says before it is served.
//!
//! hyper reads the first bytes to learn which version of HTTP is spoken, and
//! has no clock on that: who says nothing after TLS, or the first letters of
//! HTTP/2's preface, would hold a connection for ever. All that comes later
//! has hyper's clocks.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Who has not said in so long what it must say next is hung up on.
pub const SILENCE: Duration = Duration::from_secs(15);

/// What a connection of HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Takes connections as another does, and starts their clock.
#[derive(Debug, Clone, Copy)]
pub struct Hurried<A> {
    taken: A,
    patience: Duration,
}

impl<A> Hurried<A> {
    /// Gives each so long.
    pub fn new(taken: A, patience: Duration) -> Self {
        Self { taken, patience }
    }
}

impl<A, I, S> Accept<I, S> for Hurried<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Opening<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, patience) = (self.taken.accept(stream, service), self.patience);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((Opening::new(stream, patience), service))
        })
    }
}

/// A connection with its clock, until it is known which version it speaks.
#[derive(Debug)]
pub struct Opening<S> {
    stream: S,
    /// What of the preface was heard, and until when the rest must be.
    unheard: Option<(usize, Pin<Box<Sleep>>)>,
}

impl<S> Opening<S> {
    fn new(stream: S, patience: Duration) -> Self {
        Self { stream, unheard: Some((0, Box::pin(sleep(patience)))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some((heard, clock)) = &mut self.unheard else { return read };
        if read.is_pending() {
            ready!(clock.as_mut().poll(context));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        let said = buffer.filled().get(before..).unwrap_or_default();
        let rest = PREFACE.get(*heard..).unwrap_or_default();
        if rest.len() > said.len() && !said.is_empty() && rest.starts_with(said) {
            *heard += said.len();
        } else {
            self.unheard = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, interval, timeout};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    fn opened() -> (DuplexStream, Opening<DuplexStream>) {
        let (client, server) = duplex(1024);
        (client, Opening::new(server, PATIENCE))
    }

    #[tokio::test]
    async fn who_does_not_say_what_it_speaks_is_hung_up_on() {
        for said in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
            let (mut client, mut server) = opened();
            client.write_all(said.as_bytes()).await.unwrap();
            let (begun, mut heard) = (Instant::now(), Vec::new());
            let error = server.read_to_end(&mut heard).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{said:?}");
            assert!(begun.elapsed() > PATIENCE / 2, "{said:?}");
            assert_eq!(heard, said.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_preface_letter_by_letter_does_not_wind_the_clock() {
        let (mut client, mut server) = opened();
        let trickle = tokio::spawn(async move {
            let mut clock = interval(PATIENCE / 4);
            for letter in PREFACE {
                clock.tick().await;
                client.write_all(&[*letter]).await?;
            }
            io::Result::Ok(())
        });
        let mut heard = Vec::new();
        let error = server.read_to_end(&mut heard).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!((1..PREFACE.len()).contains(&heard.len()), "{heard:?}");
        drop(server);
        trickle.await.unwrap().unwrap_err();
    }

    #[tokio::test]
    async fn whoever_said_it_has_no_clock_of_ours_any_more() {
        for said in ["GET / HTTP/1.1\r\n", "PUT", std::str::from_utf8(PREFACE).unwrap()] {
            let (mut client, mut server) = opened();
            client.write_all(said.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            let read = timeout(PATIENCE * 3, server.read_to_end(&mut heard)).await;
            assert!(read.is_err(), "{said:?}: {read:?}");
            assert_eq!(heard, said.as_bytes());
        }
    }
}
