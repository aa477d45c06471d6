"""A process that does what the lines of its standard input say, and answers each with a line.

    actor.py [thread]       does it in its main thread, or in another
    actor.py stick          holds the lock of a socket until it is killed
"""

import ctypes
import fcntl
import itertools
import mmap
import os
import platform
import select
import signal
import socket
import struct
import sys
import threading
import time

HERE = "127.0.0.1"
held = []
libc = ctypes.CDLL(None, use_errno=True)
main_ends = threading.Event()


def name(text):
    """Takes this name (`/proc/PID/comm`)."""
    with open("/proc/self/comm", "w") as comm:
        comm.write(text)


def raw_name(text):
    """Takes the name of these bytes, in hexadecimal digits."""
    PR_SET_NAME = 15
    libc.prctl(PR_SET_NAME, bytes.fromhex(text), 0, 0, 0)


def unshare(flags):
    """Parts this thread from the others (`unshare(2)`)."""
    if libc.unshare(int(flags, 0)) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def up():
    """Brings up the loopback interface of this thread's network namespace."""
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def end_main():
    """Ends the main thread, and it alone."""
    main_ends.set()
    while open("/proc/self/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0.001)


def user(uid):
    """Becomes this user."""
    os.setuid(int(uid))


def cgroup(folder):
    """Moves to a cgroup of v2."""
    with open(folder + "/cgroup.procs", "w") as procs:
        procs.write(str(os.getpid()))


def connected(port):
    """A connection; create_connection would look for a codec, which not every user may."""
    end = socket.socket()
    end.connect((HERE, int(port)))
    return end


def connect(port, count):
    """Connects so often, and answers with the local ports."""
    new = [connected(port) for _ in range(int(count))]
    held.extend(new)
    return " ".join(str(end.getsockname()[1]) for end in new)


def listen(port, interface=""):
    """Listens, on one interface alone if it is named; others may listen there too."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if interface:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    door.bind((HERE, int(port)))
    door.listen(1000)
    held.append(door)


def accept(count):
    """Accepts `count` connections, and closes them at once."""
    for _ in range(int(count)):
        held[0].accept()[0].close()


def serve():
    """Accepts the connections that wait, and ends them at once; answers with their number."""
    held[0].setblocking(False)
    for count in itertools.count():
        try:
            held[0].accept()[0].close()
        except BlockingIOError:
            return str(count)


def say(count):
    """Sends `count` bytes on each connection. The other end has room for them."""
    for end in held:
        end.sendall(bytes(int(count)))


def fill():
    """Sends as much as there is room for."""
    for end in held:
        end.setblocking(False)
        try:
            while True:
                end.send(bytes(65536))
        except BlockingIOError:
            pass


def close():
    """Closes everything."""
    while held:
        held.pop().close()


def give(path):
    """Hands everything to the process that takes it there, and keeps it."""
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(path)
        socket.send_fds(to, [b"x"], [end.fileno() for end in held])


def await_at(path):
    """Waits there for who gives."""
    global door
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen()


def take():
    """Takes what is given."""
    giver = door.accept()[0]
    held.extend(socket.socket(fileno=fd) for fd in socket.recv_fds(giver, 1, 8)[1])
    giver.close()
    door.close()


def share(text):
    """Forks a process of that name that holds the same until this one ends; answers with its id."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        name(text)
        os.write(1, f"{os.getpid()}\n".encode())
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    return ANSWERED


def rename(seconds, *names):
    """Takes one name after the other, as fast as it can."""
    end = time.monotonic() + float(seconds)
    with open("/proc/self/comm", "wb", buffering=0) as comm:
        while time.monotonic() < end:
            for text in names:
                comm.write(text.encode())


def storm(record, first, ports, count, per_second):
    """Forks `count` processes. Each connects to one port and is named after it.

    Each writes its id and its port into the record before it connects, and says three bytes. Some live for a second,
    and of some a child lives on that holds the same socket.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    notes = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    start = time.monotonic()
    for number in range(int(count)):
        time.sleep(max(0, start + number / float(per_second) - time.monotonic()))
        if os.fork() == 0:
            try:
                brief(notes, int(first) + number % int(ports), number)
            finally:
                os._exit(0)
    return f"{time.monotonic() - start:.1f}"


def brief(notes, port, number):
    """The life of a process of the storm."""
    name(f"p{port}")
    os.write(notes, f"{os.getpid()} {port}\n".encode())
    end = connected(port)
    end.send(b"abc")
    if number % 3 == 0 and os.fork() == 0:
        os.write(notes, f"{os.getpid()} {port}\n".encode())
        time.sleep(1 if number % 5 == 0 else 0.05)
    elif number % 20 == 1:
        time.sleep(1)


def stick():
    """Holds the lock of a socket for good: a thread sits in a page fault inside recv(), and its page is never filled."""
    SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[platform.machine()]
    UFFDIO_API, UFFDIO_REGISTER, MODE_MISSING = 0xC018AA3F, 0xC020AA00, 1
    fault = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK)
    if fault < 0:
        raise OSError(ctypes.get_errno(), "userfaultfd")
    fcntl.ioctl(fault, UFFDIO_API, struct.pack("=QQQ", 0xAA, 0, 0))
    page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    fcntl.ioctl(fault, UFFDIO_REGISTER, struct.pack("=QQQQ", address, mmap.PAGESIZE, MODE_MISSING, 0))
    listener = socket.create_server((HERE, 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.send(b"x")
    receive = (server.fileno(), ctypes.c_void_p(address), 1, 0)
    threading.Thread(target=libc.recv, args=receive, daemon=True).start()
    select.select([fault], [], [])
    global stuck
    stuck = page, listener, client, server


ANSWERED = object()
COMMANDS = [name, raw_name, unshare, up, end_main, user, cgroup, connect, listen, accept, serve, say, fill, close, give, await_at, take, share, rename, storm, stick]
BY_NAME = {command.__name__: command for command in COMMANDS}


def obey():
    """Does what each line says."""
    for line in sys.stdin:
        word, *arguments = line.split()
        answer = BY_NAME[word](*arguments)
        if answer is not ANSWERED:
            os.write(1, f"{answer or ''}\n".encode())


if sys.argv[1:] == ["stick"]:
    stick()
    threading.Event().wait()
elif sys.argv[1:] == ["thread"]:
    threading.Thread(target=obey).start()
    main_ends.wait()
    # exit(2), of this thread alone; glibc has no function for it.
    libc.syscall(93 if platform.machine() == "aarch64" else 60, 0)
else:
    obey()
