/** Programs to copy; the token comes from the environment, never from the page. */
export function snippets(origin: string, model: string): Record<string, string> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }], stream: true })
  return {
    curl: [
      `curl ${origin}/v1/chat/completions \\`,
      `  -H "Authorization: Bearer $MODELHUB_TOKEN" \\`,
      `  -H "Content-Type: application/json" \\`,
      `  -d '${body}'`,
    ].join('\n'),
    Python: [
      'import os',
      '',
      'from openai import OpenAI',
      '',
      `client = OpenAI(base_url="${origin}/v1", api_key=os.environ["MODELHUB_TOKEN"])`,
      'stream = client.chat.completions.create(',
      `    model="${model}",`,
      '    messages=[{"role": "user", "content": "Hello!"}],',
      '    stream=True,',
      ')',
      'for chunk in stream:',
      '    if chunk.choices:',
      '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
    ].join('\n'),
    JavaScript: [
      'import OpenAI from "openai"',
      '',
      `const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: process.env.MODELHUB_TOKEN })`,
      'const stream = await client.chat.completions.create({',
      `  model: "${model}",`,
      '  messages: [{ role: "user", content: "Hello!" }],',
      '  stream: true,',
      '})',
      'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "")',
    ].join('\n'),
  }
}
