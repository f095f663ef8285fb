/** Who may come by the private listener. Each has its password in a file of that name, which in Kubernetes is a key of a Secret. */
export const privatePrincipals = ['operator', 'broker'] as const

export type PrivatePrincipal = (typeof privatePrincipals)[number]

/** The file with the password that is taken too while one is changed for the other (decision 0017). */
export function otherPasswordOf(principal: string): string {
  return `${principal}.other`
}
