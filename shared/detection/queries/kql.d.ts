/** Query texts: the bundler and the test runner load them as strings. */
declare module '*.kql' {
  const text: string;
  export default text;
}
