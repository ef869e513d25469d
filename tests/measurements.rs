//! Readers of what somebody measured: each published table maps to complete requests, and what must not be used is
//! rejected by name.
//!
//! The rows here are made up; headers are those of the published tables, shortened to the columns that are read. With
//! `BURSAR_TABLES=FOLDER` the last test reads the tables themselves and prints what became of their rows.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bursar::catalog::Catalog;
use bursar::measurement::{Measurement, Measurements, published};

fn read(text: &str) -> Measurements {
    published::read("table.csv", text, Catalog::embedded()).expect("the header is known").expect("no faults")
}

/// A measurement in one line: model, GPUs x (tensor, pipeline, data, expert), precisions, generation, load, figure.
fn said(row: &Measurement) -> String {
    let request = &row.request;
    let generation = Catalog::embedded()
        .engine(request.engine.as_ref().unwrap(), request.engine_version.as_deref())
        .unwrap();
    let load = request.load.map_or("-".to_owned(), |load| format!("{load:?}").to_lowercase());
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    let count = |value: Option<u32>| value.map_or("-".to_owned(), |value| value.to_string());
    format!(
        "{} {} {}={}x{}x{} ep {} {}/{} {} {load} {} @{} {}>{} {} {} {}",
        request.model.rsplit('/').next().unwrap(),
        request.gpu,
        count(request.gpus),
        count(request.tensor_parallel),
        count(request.pipeline_parallel),
        count(request.data_parallel),
        count(request.expert_parallel),
        request.weights.as_ref().unwrap(),
        request.kv.as_ref().unwrap(),
        generation.id,
        number(request.concurrency),
        number(request.rate_per_s),
        number(request.input_tokens),
        number(request.output_tokens),
        row.quantity.word(),
        row.statistic.map_or("-".to_owned(), |statistic| format!("{statistic:?}").to_lowercase()),
        row.value,
    )
}

#[track_caller]
fn holds(text: &str, rows: &[&str], rejected: &[(usize, &str)]) {
    let found = read(text);
    assert_eq!(found.rows.iter().map(said).collect::<Vec<_>>(), rows);
    let got: Vec<_> = found.rejected.iter().map(|row| (row.place.line, row.reason)).collect();
    assert_eq!(got, rejected);
}

#[test]
fn another_header_is_none_of_ours() {
    assert!(published::read("a.csv", "model,gpu,ttft_ms\n", Catalog::embedded()).is_none());
    assert!(published::read("a.csv", "", Catalog::embedded()).is_none());
    assert!(published::read("a.csv", "{\"a\": 1}", Catalog::embedded()).is_none());
}

#[test]
fn cells_that_are_no_numbers_are_faults_with_a_place() {
    let text = "source,model,gpu,engine,n_gpus,input_tokens,output_tokens,concurrency_or_batch,ttft_ms,tpot_ms,\
                n_repeats,tpot_std_ms,precision_weights\n\
                S,llama2-70b,H100-SXM-80GB,vLLM,8,512,128,1,fast,30,5,0.1,fp16\n\
                S,llama2-70b,H100-SXM-80GB,vLLM,8,512,128,1,80\n";
    let faults = published::read("t.csv", text, Catalog::embedded()).unwrap().unwrap_err();
    let said: Vec<_> =
        faults.iter().map(|fault| (fault.code, fault.place.line, fault.place.key.as_str())).collect();
    assert_eq!(said, [("E0205", 2, "ttft_ms"), ("E0201", 3, "")]);
}

#[test]
fn closed_loops_of_aiconfigurator() {
    let header = "source,model,gpu,n_gpus,tp,pp,ep,precision_weights,engine,engine_version,input_tokens,output_tokens,\
                  concurrency_or_batch,ttft_ms,tpot_ms,mode,date,id,moe_tp,attention_dp,gemm_quant,prefill_workers";
    let rows = [
        // As it stands; a statistic where the source says so, the generation of its day.
        "inferencex-csv,meta-llama/Llama-3.1-70B,b200_sxm,2,2.0,1.0,1.0,fp8,vllm,,1024,1024,16.0,90.5,9.25,agg,2025-10-29,run_1,2.0,1.0,fp8,",
        "nvidia-gap-analysis,meta-llama/Llama-3.1-8B-Instruct,h100_sxm,1,1.0,1.0,0.0,,trtllm,1.0.0rc3,1024,512,8.0,50,7,agg,,run_2,0.0,1.0,,",
        // Tensor times expert parallelism: 64 GPUs for 8; with attention on every GPU, 8 ranks.
        "inferencex-db,deepseek-ai/DeepSeek-V3,h200_sxm,64,64.0,1.0,8.0,fp8,trtllm,1.1.0rc2.post2,1024,1024,64.0,400,20,agg,2026-01-14,dsr1_3,8.0,1.0,fp8,",
        "inferencex-csv,deepseek-ai/DeepSeek-R1,b200_sxm,64,1.0,1.0,8.0,fp4,trtllm,1.2.0rc6,1024,1024,512.0,900,25,agg,2026-02-03,run_4,8.0,64.0,nvfp4,",
        "inferencex-csv,openai/gpt-oss-120b,b200_sxm,4,1.0,1.0,2.0,fp4,trtllm,gpt-oss-dev,1024,1024,32.0,80,4,agg,2025-12-15,run_5,2.0,4.0,nvfp4,",
        // Left out.
        "inferencex-csv,deepseek-ai/DeepSeek-R1,gb200,8,8.0,1.0,1.0,fp4,trtllm,,1024,1024,16.0,90,9,disagg,2025-11-02,run_6,8.0,1.0,nvfp4,2",
        "inferencex-csv,deepseek-ai/DeepSeek-R1,gb200,12,12.0,1.0,1.0,fp4,trtllm,,1024,1024,16.0,90,9,agg,2025-11-02,run_7,12.0,1.0,nvfp4,",
        "nvidia-gap-analysis,Qwen/Qwen3-32B,gb200,2,2.0,1.0,0.0,,trtllm,1.3.0rc1,2000,500,2.0,225,41.9,agg,2026-03-23,run_8,0.0,1.0,,",
        "inferencex-csv,openai/gpt-oss-120b,h100_sxm,1,1.0,1.0,1.0,fp4,vllm,,1024,128,512.0,9000,50,agg,2025-11-17,run_9,1.0,1.0,nvfp4,",
        "inferencex-csv,deepseek-ai/DeepSeek-R1,b200_sxm,8,8.0,1.0,1.0,fp4,sglang,,1024,1024,16.0,90,3,agg,2025-11-17,dsr1_mtp_on,8.0,1.0,nvfp4,",
        "inferencex-csv,acme/Unheard-Of-1B,b200_sxm,1,1.0,1.0,1.0,fp8,vllm,,1024,1024,16.0,90,9,agg,2025-11-17,run_11,1.0,1.0,fp8,",
        "inferencex-csv,openai/gpt-oss-120b,b900_sxm,1,1.0,1.0,1.0,fp4,vllm,,1024,1024,16.0,90,9,agg,2025-11-17,run_12,1.0,1.0,fp8,",
        "inferencex-csv,openai/gpt-oss-120b,b200_sxm,1,1.0,1.0,1.0,fp4,atom,,1024,1024,16.0,90,9,agg,2025-11-17,run_13,1.0,1.0,fp8,",
        "inferencex-db,meta-llama/Llama-3.1-70B,b200_sxm,2,2.0,1.0,1.0,fp8,vllm,,1024,1024,16.0,90.5,9.25,agg,2025-10-30,run_14,2.0,1.0,fp8,",
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Llama-3.1-70B-Instruct b200-sxm 2=2x1x1 ep 1 fp8/fp8 vllm-25 closed 16 @- 1024>1024 ttft_ms p50 90.5",
            "Llama-3.1-70B-Instruct b200-sxm 2=2x1x1 ep 1 fp8/fp8 vllm-25 closed 16 @- 1024>1024 tpot_ms p50 9.25",
            "Llama-3.1-8B-Instruct h100-sxm 1=1x1x1 ep 1 bf16/auto trtllm-25 closed 8 @- 1024>512 ttft_ms - 50",
            "Llama-3.1-8B-Instruct h100-sxm 1=1x1x1 ep 1 bf16/auto trtllm-25 closed 8 @- 1024>512 tpot_ms - 7",
            "DeepSeek-R1 h200-sxm 8=8x1x1 ep 8 fp8/fp8 trtllm-26 closed 64 @- 1024>1024 ttft_ms p50 400",
            "DeepSeek-R1 h200-sxm 8=8x1x1 ep 8 fp8/fp8 trtllm-26 closed 64 @- 1024>1024 tpot_ms p50 20",
            "DeepSeek-R1 b200-sxm 8=1x1x8 ep 8 nvfp4/fp8 trtllm-26 closed 512 @- 1024>1024 ttft_ms p50 900",
            "DeepSeek-R1 b200-sxm 8=1x1x8 ep 8 nvfp4/fp8 trtllm-26 closed 512 @- 1024>1024 tpot_ms p50 25",
            "gpt-oss-120b b200-sxm 2=1x1x2 ep 2 mxfp4/fp8 trtllm-25 closed 32 @- 1024>1024 ttft_ms p50 80",
            "gpt-oss-120b b200-sxm 2=1x1x2 ep 2 mxfp4/fp8 trtllm-25 closed 32 @- 1024>1024 tpot_ms p50 4",
        ],
        &[
            (7, "disaggregated"),
            (8, "more-than-one-server"),
            (9, "misreported"),
            (10, "admission-limited"),
            (11, "speculative"),
            (12, "unknown-model"),
            (13, "unknown-gpu"),
            (14, "unknown-engine"),
            (15, "duplicate"),
        ],
    );
}

#[test]
fn tables_of_the_tensorrt_llm_documentation() {
    let header = "source,model,gpu,n_gpus,tp,pp,ep,precision_weights,precision_kv,engine,engine_version,scenario,\
                  input_tokens,output_tokens,concurrency_or_batch,ttft_ms,output_tok_s_total,tok_s_per_gpu,mode";
    let rows = [
        "docs,llama3-70b,RTX-PRO-6000-Blackwell-SE,2,1,2.0,,fp4,fp8,TensorRT-LLM,1.0,inflight batching,20000,2000,,,319,159,max",
        "docs,mixtral-8x7b,A100-PCIe-80GB,4,4,,,fp16,fp16,TensorRT-LLM,0.14.0,inflight batching,128,129,,,4000,1000,max",
        "docs,gptj-6b,H100-SXM,1,1,,,fp8,fp8,TensorRT-LLM,0.9.0,static batch,128,2048,120.0,,8000,8000,max",
        "docs,falcon-180b,L40S,8,8,,,fp8,fp8,TensorRT-LLM,0.9.0,first-token latency bs1,2048,1,1.0,700,,,max",
        "docs,falcon-180b,L40S,8,8,,,fp8,fp8,TensorRT-LLM,0.9.0,first-token latency bs1,2048,1,1.0,,,,max",
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Llama-3.3-70B-Instruct rtx-pro-6000-server 2=1x2x1 ep - nvfp4/fp8 trtllm-25 max 1000 @- 20000>2000 output_tokens_per_s - 319",
            "Mixtral-8x7B-Instruct-v0.1 a100-pcie-80 4=4x1x1 ep - fp16/bf16 trtllm-24 max - @- 128>129 output_tokens_per_s - 4000",
            "gpt-j-6b h100-sxm 1=1x1x1 ep - fp8/fp8 trtllm-23 static 120 @- 128>2048 output_tokens_per_s - 8000",
            "falcon-180B-chat l40s 8=8x1x1 ep - fp8/fp8 trtllm-23 static 1 @- 2048>1 ttft_ms - 700",
        ],
        &[(6, "no-figure")],
    );
}

#[test]
fn static_batches_of_argonne() {
    let header = "source,model,gpu,n_gpus,tp,precision_weights,precision_kv,engine,input_tokens,output_tokens,\
                  concurrency_or_batch,ttft_ms,e2e_ms,flag_faster_than_weight_bound";
    let rows = [
        "argonne,Qwen/Qwen2-7B,H100-SXM-80GB,2,2,fp16/bf16,,vLLM,1024,1024,16,420.5,11000,False",
        "argonne,Qwen/Qwen2-7B,MI250,4,4,fp16/bf16,fp16/bf16,llama.cpp,128,128,16,,9000,False",
        "argonne,meta-llama/Meta-Llama-3-8B,A100-SXM-40GB,1,1,int8_sq,int8,TensorRT-LLM,128,128,1,,1500,False",
        "argonne,meta-llama/Meta-Llama-3-8B,A100-SXM-40GB,1,1,fp16/bf16,fp16/bf16,Deepspeed-MII,128,128,1,,1500,False",
        "argonne,meta-llama/Meta-Llama-3-8B,A100-SXM-40GB,1,1,fp16/bf16,fp16/bf16,vLLM,128,128,1,,15,True",
        "argonne,meta-llama/Meta-Llama-3-8B,SN40L,8,8,fp16/bf16,fp16/bf16,sambaflow,128,128,1,,500,False",
        "argonne,meta-llama/Meta-Llama-3-8B,Gaudi2,8,8,fp16/bf16,fp16/bf16,Deepspeed,128,128,1,,500,False",
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Qwen2-7B-Instruct h100-sxm 2=2x1x1 ep - bf16/auto vllm-24 static 16 @- 1024>1024 ttft_ms - 420.5",
            "Qwen2-7B-Instruct h100-sxm 2=2x1x1 ep - bf16/auto vllm-24 static 16 @- 1024>1024 e2e_ms - 11000",
            "Qwen2-7B-Instruct mi250x 4=1x4x1 ep - bf16/bf16 llamacpp-24 static 16 @- 128>128 e2e_ms - 9000",
            "Meta-Llama-3-8B-Instruct a100-sxm-40 1=1x1x1 ep - int8/fp8 trtllm-24 static 1 @- 128>128 e2e_ms - 1500",
            "Meta-Llama-3-8B-Instruct a100-sxm-40 1=1x1x1 ep - bf16/bf16 dsmii-24 static 1 @- 128>128 e2e_ms - 1500",
        ],
        &[(6, "faster-than-weight-read"), (7, "unknown-gpu"), (8, "unknown-engine")],
    );
}

#[test]
fn batches_of_splitwise() {
    let header = "source,model,gpu,n_gpus,tp,precision_weights,precision_kv,engine,engine_version,input_tokens,\
                  output_tokens,concurrency_or_batch,ttft_ms,tpot_ms,n_repeats,tpot_std_ms";
    let rows = [
        "splitwise,bloom-176b,A100-SXM-80GB,8,8,fp16,fp16,vLLM,~0.2 (2023),512,128,4,300,50,5,0.1",
        "splitwise,bloom-176b,H100-SXM-80GB-pcap,8,8,fp16,fp16,vLLM,~0.2 (2023),512,128,4,300,50,5,0.1",
        "splitwise,bloom-176b,H100-SXM-80GB,8,8,fp16,fp16,vLLM,~0.2 (2023),512,128,,300,50,5,0.1",
        "splitwise,bloom-176b,H100-SXM-80GB,8,8,fp16,fp16,vLLM,~0.2 (2023),,128,4,300,50,5,0.1",
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "bloom a100-sxm-80 8=8x1x1 ep - fp16/bf16 vllm-23 static 4 @- 512>128 ttft_ms - 300",
            "bloom a100-sxm-80 8=8x1x1 ep - fp16/bf16 vllm-23 static 4 @- 512>128 tpot_ms - 50",
        ],
        &[(3, "power-capped"), (4, "no-concurrency"), (5, "no-lengths")],
    );
}

#[test]
fn closed_loops_of_ibm() {
    let header = "source,model,gpu,n_gpus,precision_weights,engine,engine_version,input_tokens,output_tokens,\
                  concurrency_or_batch,ttft_ms,tpot_ms,ttft_p50_ms,ttft_p95_ms,itl_p50_ms,itl_p95_ms";
    let rows = [
        "IBM,llama-13b,A100,2,fp16/bf16,TGIS (fork),2023-10,160.5,25.5,16,250,40,240,480,30,110",
        "IBM,llama-13b,A100,2,fp16/bf16,TGIS (fork),2023-10,160.5,25.5,128,5000,40,240,480,30,110",
        "IBM,google/flan-t5-xl,H100,1,fp16/bf16,TGIS (fork),2023-10,160.5,25.5,16,250,40,240,480,30,110",
    ];
    let request = "llama-13b a100-pcie-40 2=2x1x1 ep - bf16/auto tgis-23 closed 16 @- 160.5>25.5";
    let figures = [
        "ttft_ms mean 250",
        "ttft_ms p50 240",
        "ttft_ms p95 480",
        "tpot_ms mean 40",
        "tpot_ms p50 30",
        "tpot_ms p95 110",
    ];
    let expected: Vec<String> = figures.iter().map(|figure| format!("{request} {figure}")).collect();
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &expected.iter().map(String::as_str).collect::<Vec<_>>(),
        &[(3, "admission-limited"), (4, "unknown-model")],
    );
}

#[test]
fn batches_and_open_traffic_of_dstack() {
    let header = "source,model,gpu,n_gpus,tp,precision_weights,engine,engine_version,scenario,input_tokens,output_tokens,\
                  concurrency_or_batch,e2e_ms,output_tok_s_total,date,config,qps_target,ttft_p50_ms,tpot_p50_ms";
    let model = "dstack,Llama-3.1-405B FP8,MI300X";
    let engine = "fp8,vLLM,2024-11";
    let rows = [
        format!(
            "{model},4.0,4.0,{engine},static batch latency,128,2048,4,90000,90,2024-11,4xMi300x 1FP8-amd,,,"
        ),
        format!(
            "{model},4.0,4.0,{engine},offline throughput,128,2048,4,90000,90,2024-11,4xMi300x 1FP8-amd,,,"
        ),
        format!(
            "{model},8.0,8.0,{engine},static batch latency,128,2048,4,90000,90,2024-11,8xMi300x 2FP8-amd,,,"
        ),
        format!(
            "{model},8.0,8.0,{engine},static batch latency,128,2048,4,280000,29,2024-11,8xMi300x 1FP8-meta,,,"
        ),
        // Twice four GPUs: two ranks. 1,500 of 2,880 tokens/s asked for; then all that was asked for.
        format!("{model},8.0,8.0,{engine},online,215,180,,,1500,2024-11,8xMi300x  2FP8-amd,16.0,800,180"),
        format!("{model},8.0,8.0,{engine},online,215,180,,,360,2024-11,8xMi300x 1FP8-amd,2.0,300,60"),
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Llama-3.1-405B-Instruct mi300x 4=4x1x1 ep - fp8/auto vllm-24 static 4 @- 128>2048 e2e_ms - 90000",
            "Llama-3.1-405B-Instruct mi300x 8=4x1x2 ep - fp8/auto vllm-24 max - @- 215>180 output_tokens_per_s - 1500",
            "Llama-3.1-405B-Instruct mi300x 8=8x1x1 ep - fp8/auto vllm-24 open - @2 215>180 ttft_ms p50 300",
            "Llama-3.1-405B-Instruct mi300x 8=8x1x1 ep - fp8/auto vllm-24 open - @2 215>180 tpot_ms p50 60",
        ],
        &[(3, "duplicate"), (4, "duplicate"), (5, "no-fast-kernel")],
    );
}

#[test]
fn batches_and_chats_of_lmdeploy() {
    let header = "source,model,gpu,n_gpus,precision_weights,precision_kv,engine,engine_version,scenario,input_tokens,\
                  output_tokens,concurrency_or_batch,ttft_ms,output_tok_s_total,total_tok_s,req_s,memory_gb,\
                  tpot_p50_ms,tpot_p95_ms";
    let rows = [
        "lmdeploy,llama2-7b,A100-80GB,1,fp16,fp16,LMDeploy TurboMind,0.2 (2024-01),static inference,128,128,16,130,1200,,,77,11,12",
        "lmdeploy,llama2-7b,A100-80GB,1,fp16,fp16,LMDeploy TurboMind,0.2 (2024-01),request throughput,,,256,500,3200,6400,16,,,",
        "lmdeploy,internlm-20b,A100-80GB,1,fp16,fp16,LMDeploy TurboMind,0.2 (2024-01),request throughput,,,256,500,3200,6400,16,,,",
    ];
    let (batch, chats) = (
        "Llama-2-7b-chat-hf a100-sxm-80 1=1x1x1 ep - fp16/bf16 lmdeploy-24 static 16 @- 128>128",
        "Llama-2-7b-chat-hf a100-sxm-80 1=1x1x1 ep - fp16/bf16 lmdeploy-24 closed 256 @- 200>200",
    );
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            &format!("{batch} ttft_ms mean 130"),
            &format!("{batch} tpot_ms p50 11"),
            &format!("{batch} output_tokens_per_s - 1200"),
            &format!("{chats} ttft_ms mean 500"),
            &format!("{chats} output_tokens_per_s - 3200"),
        ],
        &[(4, "unknown-model")],
    );
}

#[test]
fn single_streams_of_mlc() {
    let header =
        "source,model,gpu,n_gpus,tp,precision_weights,engine,scenario,concurrency_or_batch,decode_tok_s,date";
    let rows = [
        r#"mlc,Llama2-70B,A100,2,2,"Multiple NVIDIA GPUs, FP16",vLLM,bs1 decode,1,20,2023-11"#,
        r#"mlc,CodeLlama-34B,A10G,4,4,"Multiple NVIDIA GPUs, 4-bit",Llama.cpp,bs1 decode,1,25,2023-11"#,
        r#"mlc,Llama2-70B,A100,2,2,"Multiple NVIDIA GPUs, 4-bit",exllama,bs1 decode,1,20,2023-11"#,
        r#"mlc,Llama2-7B,RTX 3090 Ti,1,1,"Single GPU, 4-bit",Llama.cpp,bs1 decode,1,140,2023-11"#,
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Llama-2-70b-chat-hf a100-sxm-80 2=2x1x1 ep - fp16/auto vllm-23 static 1 @- 64>256 tpot_ms - 50",
            "CodeLlama-34b-Instruct-hf a10g 4=1x4x1 ep - q4_k_m/auto llamacpp-24 static 1 @- 64>256 tpot_ms - 40",
        ],
        &[(4, "unknown-engine"), (5, "unknown-gpu")],
    );
}

#[test]
fn single_streams_of_llama_cpp() {
    let header = "source,model,gpu,n_gpus,pp,precision_weights,precision_kv,engine,engine_version,scenario,input_tokens,\
                  output_tokens,concurrency_or_batch,prefill_tok_s,decode_tok_s,notes";
    let rows = [
        "X,llama3-8b,4090 24GB,2,2.0,Q4_K_M,f16,llama.cpp,2024-05,pp1024,1024,0,1,4096,,",
        "X,llama3-8b,M2 Ultra 76-Core GPU 192GB,1,1.0,F16,f16,llama.cpp,2024-05,tg1024,0,1024,1,,40,",
        "X,llama3-70b,4090 24GB,1,,F16,,llama.cpp,,oom_tg,,,1,,,OOM",
        "X,llama3-8b,3070 8GB,1,1.0,Q4_K_M,f16,llama.cpp,2024-05,tg1024,0,1024,1,,70,",
    ];
    holds(
        &format!("{header}\n{}\n", rows.join("\n")),
        &[
            "Meta-Llama-3-8B-Instruct rtx-4090 2=1x2x1 ep - q4_k_m/bf16 llamacpp-24 static 1 @- 1024>1 ttft_ms - 250",
            "Meta-Llama-3-8B-Instruct apple-m2-ultra 1=1x1x1 ep - fp16/bf16 llamacpp-24 static 1 @- 0>1024 tpot_ms - 25",
        ],
        &[(4, "no-figure"), (5, "unknown-gpu")],
    );
}

#[test]
fn streams_of_prem_say_too_little() {
    holds(
        "source,precision_weights,engine,table,section,value\nprem,float16,vllm,1,Tokens/second,84.9\n",
        &[],
        &[(2, "incomplete")],
    );
}

#[test]
fn memory_in_start_up_logs() {
    let header = "source,model,gpu,n_gpus,tp,pp,precision_weights,precision_kv,engine,engine_version,max_model_len,\
                  gpu_memory_utilization,weight_gib,kv_cache_gib,kv_cache_tokens";
    let rows = [
        "logs,RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8,H100-80GB,1,1,1,compressed-tensors,auto,vLLM,0.19.0,8192,0.95,8.5,64.6,529200",
        "logs,ibm-granite/granite-vision-3.3-2b,H100-80GB,1,1,1,,auto,vLLM,0.19.0,8192,0.95,5.5,68.6,899792",
    ];
    let text = format!("{header}\n{}\n", rows.join("\n"));
    let request = "Llama-3.1-8B-Instruct h100-sxm 1=1x1x1 ep - int8/auto vllm-25 - - @- ->-";
    holds(
        &text,
        &[
            &format!("{request} weights_gib - 8.5"),
            &format!("{request} kv_pool_gib - 64.6"),
            &format!("{request} kv_pool_tokens - 529200"),
        ],
        &[(3, "unknown-model")],
    );
    let request = &read(&text).rows[0].request;
    assert_eq!((request.context_tokens, request.gpu_memory_utilization), (Some(8192.0), Some(0.95)));
}

/// What became of the rows of the real tables; they are arguments of a command, not part of the repository.
#[test]
fn published_tables_are_read_whole() {
    let Some(folder) = std::env::var_os("BURSAR_TABLES") else { return };
    let mut files: Vec<_> =
        fs::read_dir(Path::new(&folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut generations: BTreeMap<String, usize> = BTreeMap::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "csv")) {
        let name = path.file_name().unwrap().to_string_lossy();
        let text = fs::read_to_string(path).unwrap();
        let Some(found) = published::read(&name, &text, Catalog::embedded()) else {
            println!("{name}: none of ours");
            continue;
        };
        let found = found.unwrap_or_else(|faults| panic!("{name}: {:?}", faults.first()));
        let (mut used, mut last) = (0, 0);
        let mut quantities: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &found.rows {
            *quantities.entry(row.quantity.word()).or_default() += 1;
            if row.place.line != last {
                (used, last) = (used + 1, row.place.line);
                let version = row.request.engine_version.as_deref();
                let engine =
                    Catalog::embedded().engine(row.request.engine.as_ref().unwrap(), version).unwrap();
                *generations.entry(engine.id.clone()).or_default() += 1;
            }
            row.request.check().unwrap();
        }
        let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for row in &found.rejected {
            let detail = if row.reason.starts_with("unknown") { row.cause.as_str() } else { "" };
            *reasons.entry((row.reason, detail)).or_default() += 1;
        }
        println!(
            "{name}: {} rows, {used} used, {} rejected",
            used + found.rejected.len(),
            found.rejected.len()
        );
        println!("    {quantities:?}");
        for ((reason, detail), count) in reasons {
            println!("    {count:5} {reason} {detail}");
        }
    }
    println!("rows used by generation: {generations:?}");
}
