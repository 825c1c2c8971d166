/**
 * The text of a body that is to be quoted, as far as it comes: at most 64 Ki
 * characters and 5 seconds of it. What is left is cancelled, so an answer without
 * an end cannot hold up its error. A connection that breaks off is an end.
 */
export async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const leave = (): void => void reader.cancel().catch(() => undefined);
  // Cancelling ends the read that waits.
  const timer = setTimeout(leave, 5000);
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < 64 * 1024) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What came before is still worth quoting.
  } finally {
    clearTimeout(timer);
    leave();
  }
  return text;
}
