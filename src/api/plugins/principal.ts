import type { FastifyInstance, FastifyRequest } from 'fastify'

/** On whose behalf a request is made. */
export interface Principal {
  /** Nothing of any other tenant is read for it. */
  readonly tenant: string
}

/** Says who makes a request. @throws What is to be answered to who may not. */
export type Identify = (request: FastifyRequest) => Principal | Promise<Principal>

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined
  }
}

/** Everyone is the same until people sign in. */
export const everyoneIs =
  (tenant: string): Identify =>
  () => ({ tenant })

/** Knows of every request on whose behalf it is made, before anything is read for it. */
export function principals(app: FastifyInstance, identify: Identify): void {
  app.decorateRequest('principal', undefined)
  app.addHook('onRequest', async (request) => {
    request.principal = await identify(request)
  })
}

export function tenantOf(request: FastifyRequest): string {
  // Without a principal there is no tenant to fall back to: whoever asks has forgotten the hook.
  if (request.principal === undefined) throw new TypeError('a request without a principal')
  return request.principal.tenant
}
