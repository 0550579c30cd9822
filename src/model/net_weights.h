/* net_weights: a net's parameters: where they come from and where they go. */
#ifndef MODEL_NET_WEIGHTS_H
#define MODEL_NET_WEIGHTS_H

#include "model/net.h"

/* Copies the model's weights; they learn where there is no LoRA. */
void net_weights_take(struct elm_net *n);
void net_lora_make(struct elm_net *n, uint64_t seed);

#endif
