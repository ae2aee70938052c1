/** Nothing: without a file of its own this application would be given that of the example around it. */
export function register(): void {}
