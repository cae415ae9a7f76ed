/** Messages as onnxruntime, Dawn, CUDA and the drivers give them. */
import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { firstLine, kindOf, runFailure } from "../../../../stages/shared/inference/failures.ts";

const MESSAGES: Record<string, string[]> = {
  memory: [
    "Non-zero status code returned while running Conv node. Name:'c' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 939524096",
    "CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; expr=cudaMalloc((void**)&p, size);",
    "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0",
    "WebGPU device error(2): Out of memory",
    "vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY",
    "std::bad_alloc",
    "D3D12 create buffer failed with E_OUTOFMEMORY (0x8007000E)",
  ],
  lost: [
    "WebGPU device lost (2): Device was destroyed.",
    "Failed to map buffer: Device is lost.",
    "vkQueueSubmit failed with VK_ERROR_DEVICE_LOST",
    "ID3D12Device::GetDeviceRemovedReason DXGI_ERROR_DEVICE_HUNG (0x887A0006)",
    "CUDA failure 700: an illegal memory access was encountered ; GPU=0",
    "CUDA failure 719: unspecified launch failure ; GPU=0",
  ],
  operator: [
    "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Conv(11) node with name 'c'",
    "Fatal error: com.x:Thing(-1) is not a registered function/op",
  ],
  shape: [
    "Got invalid dimensions for input: data for the following indices\n index: 2 Got: 32 Expected: 64",
    "Non-zero status code returned while running Add node. Name:'a' Status Message: add.h:35 axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 7 by 8",
    "Invalid rank for input: data Got: 4 Expected: 2 Please fix either the inputs/outputs or the model.",
  ],
  other: [
    "Non-zero status code returned while running Conv node. Name:'c' Status Message: CUDNN failure 5000",
    "",
  ],
};

describe.each(Object.entries(MESSAGES))("%s", (kind, messages) => {
  it.each(messages)("%j", (message) => expect(kindOf(message)).toBe(kind));
});

describe("the error of a network that failed", () => {
  const at = (message: string, device: "cpu" | "webgpu" | "cuda" = "webgpu") =>
    runFailure(message, "vgg16", device, [32, 3, 224, 224]);

  it.each([
    ["memory", "Take a smaller batch, or device: cpu."],
    ["operator", "Take device: cpu."],
    ["shape", "Choose another size or batch."],
    ["other", "Choose another size or batch, or device: cpu."],
  ])("%s says in one line what to do", (kind, next) => {
    for (const message of MESSAGES[kind]) {
      const error = at(message);
      expect(error).toBeInstanceOf(UserError);
      expect(error.message.endsWith(next), error.message).toBe(true);
      expect(error.message).not.toContain("\n");
      if (kind !== "shape") expect(error.message).not.toMatch(/does not take/);
    }
  });

  it("that lost its device is no UserError: no other param helps", () => {
    for (const message of MESSAGES.lost) {
      const error = at(message);
      expect(error).not.toBeInstanceOf(UserError);
      expect(error.message).toMatch(/^the device webgpu was lost while vgg16 ran: .* Run it again, or take/);
    }
  });

  it("on the CPU names no other device", () => {
    for (const kind of ["memory", "operator", "other"])
      expect(at(MESSAGES[kind][0], "cpu").message).not.toContain("device: cpu");
  });
});

it("onnxruntime's own source line is left out, and nothing else", () => {
  expect(
    firstLine(
      "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::Initialize()::<lambda()> status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n\n",
    ),
  ).toBe("Failed to get a WebGPU adapter: No supported adapters");
  expect(firstLine("Load model from a.onnx failed")).toBe("Load model from a.onnx failed");
});
