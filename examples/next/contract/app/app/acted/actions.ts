'use server'
import { redirect } from 'next/navigation'
import { getSession } from '../../session.ts'

/** Sets what the form says, saves it and goes elsewhere. */
export async function set(form: FormData): Promise<void> {
  const session = await getSession()
  session.set(String(form.get('key')), true)
  await session.save()
  redirect('/acted')
}

/** The same, saved by the adapter. */
export const setWithin = getSession.withSaving(async (form: FormData): Promise<void> => {
  const session = await getSession()
  session.set(String(form.get('key')), true)
  redirect('/acted')
})

/** Sets, and lets the page be rendered in the same request. */
export const stay = getSession.withSaving(async (form: FormData): Promise<void> => {
  const session = await getSession()
  session.set(String(form.get('key')), true)
})

/** Signs in, and lets the page be rendered in the same request. */
export async function signIn(): Promise<void> {
  const session = await getSession()
  await session.signIn('ann')
}

/** Sets, and throws before it has saved. */
export async function fail(form: FormData): Promise<void> {
  const session = await getSession()
  session.set(String(form.get('key')), true)
  throw globalThis.contractParts.script.error
}

/** The same within the adapter. */
export const failWithin = getSession.withSaving(fail)

/** Signs in, and throws. */
export async function signInAndFail(): Promise<void> {
  await signIn()
  throw globalThis.contractParts.script.error
}
