/** How the Hub's own clients bring a model from this hub; the key comes from the environment. */
export function hubSnippets(origin: string, ref: string): Record<string, string> {
  const environment = [`export HF_ENDPOINT=${origin}/hf`, 'export HF_TOKEN=$MODELHUB_KEY']
  return {
    'hf': [...environment, `hf download ${ref}`].join('\n'),
    'transformers': [
      'import os',
      '',
      `os.environ["HF_ENDPOINT"] = "${origin}/hf"`,
      'os.environ["HF_TOKEN"] = os.environ["MODELHUB_KEY"]',
      '',
      'from transformers import AutoModelForCausalLM, AutoTokenizer',
      '',
      `model = AutoModelForCausalLM.from_pretrained("${ref}")`,
      `tokenizer = AutoTokenizer.from_pretrained("${ref}")`,
    ].join('\n'),
    'ModelHub': [...environment, 'modelhub up -d', `modelhub pull ${ref}`].join('\n'),
  }
}
