import { Outlet } from 'react-router'
import type { Route } from './+types/root'
import { sessionMiddleware } from './session.server'

export const middleware: Route.MiddlewareFunction[] = sessionMiddleware

export default function Root() {
  return (
    <html lang="en">
      <head>
        <title>Sessions with React Router</title>
      </head>
      <body>
        <Outlet />
      </body>
    </html>
  )
}
