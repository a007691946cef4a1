import { matches, picked } from './globs'

test.each([
  ['model.safetensors', '*.safetensors', true],
  ['a/b/model.safetensors', '*.safetensors', true],
  ['onnx/model.onnx', 'onnx/', true],
  ['onnx.txt', 'onnx/', false],
  ['a.bin', '?.bin', true],
  ['ab.bin', '?.bin', false],
  ['m-Q4_K_M.gguf', '*q4*', false],
  ['m-Q4_K_M.gguf', '*Q[45]*', true],
  ['m-Q6_K.gguf', '*Q[!45]*', true],
  ['a[1]*?.bin', 'a[[]1][*][?].bin', true],
  ['a1.bin', 'a[[]1][*][?].bin', false],
  ['a+b(c).txt', 'a+b(c).txt', true],
  ['model.json', 'model.jso', false],
])('%s like %s: %s', (path, glob, like) => {
  expect(matches(path, glob)).toBe(like)
})

test('what is taken, less what is left', () => {
  const paths = ['README.md', 'a.gguf', 'b.gguf']
  expect([...picked(paths, [], [])]).toEqual(paths)
  expect([...picked(paths, ['*.gguf'], ['b*'])]).toEqual(['a.gguf'])
  expect([...picked(paths, ['*.bin'], [])]).toEqual([])
})
