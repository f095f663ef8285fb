"""Runs a command on a terminal of its own, closes that as soon as the command has said MARK, and tells how the command ended."""
import os, pty, select, sys, time

mark, directory, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(directory)
    os.execvp(command[0], command)

said, until = b'', time.time() + 60
while mark.encode() not in said and time.time() < until:
    if not select.select([terminal], [], [], 0.2)[0]:
        continue
    try:
        said += os.read(terminal, 65536)
    except OSError:
        break  # it ended
os.close(terminal)
if mark.encode() not in said:
    sys.stdout.write(said.decode(errors='replace'))
_, status = os.waitpid(pid, 0)
print('exit code' if os.WIFEXITED(status) else 'signal', status >> 8 if os.WIFEXITED(status) else status & 127)
