"""Holds the lock of a socket: a thread sits in a page fault inside recv() until the process is killed.

userfaultfd(2): nobody ever fills the page. Prints a line once the thread is there.
"""
import ctypes
import fcntl
import mmap
import os
import platform
import select
import socket
import struct
import threading

SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[platform.machine()]
UFFDIO_API = 0xC018AA3F
UFFDIO_REGISTER = 0xC020AA00
MODE_MISSING = 1

libc = ctypes.CDLL(None, use_errno=True)
fault = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK)
if fault < 0:
    raise OSError(ctypes.get_errno(), "userfaultfd")
fcntl.ioctl(fault, UFFDIO_API, struct.pack("=QQQ", 0xAA, 0, 0))
page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
fcntl.ioctl(fault, UFFDIO_REGISTER, struct.pack("=QQQQ", address, mmap.PAGESIZE, MODE_MISSING, 0))

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.send(b"x")
receive = (server.fileno(), ctypes.c_void_p(address), 1, 0)
threading.Thread(target=libc.recv, args=receive, daemon=True).start()
select.select([fault], [], [])
print("held", flush=True)
threading.Event().wait()
