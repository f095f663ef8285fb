/** `twin` of a port, but for the methods in `instead`; before every other one `first` is called. */
export function changed<T extends object>(
  twin: T,
  instead: Partial<T>,
  first: () => void = () => {},
): T {
  return new Proxy(twin, {
    get(target, name) {
      if (Object.hasOwn(instead, name)) return instead[name as keyof T]
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function') return found
      return (...args: unknown[]): unknown => {
        first()
        return Reflect.apply(found, target, args)
      }
    },
  })
}
