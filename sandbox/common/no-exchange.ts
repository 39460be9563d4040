/**
 * In place of the exchange that a broker has between its clients (aedes calls it `mq`): nothing that is
 * published is passed on, because answers go to one client directly. It also spares each connection
 * what aedes would tell other brokers about it.
 */
export class NoExchange {
  on(_topic: string, _notify: unknown, done?: () => void): void {
    if (done !== undefined) setImmediate(done);
  }

  removeListener(_topic: string, _notify: unknown, done?: () => void): void {
    if (done !== undefined) setImmediate(done);
  }

  emit(_packet: unknown, done?: () => void): void {
    done?.();
  }

  close(done: () => void): void {
    setImmediate(done);
  }
}
