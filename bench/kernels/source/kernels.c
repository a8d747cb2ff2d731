/* The arithmetic that must be fast and portable, for one type and one vector width.

   T time steps, B batch, H hidden units, I inputs, C classes; arrays are contiguous, the last index
   fastest. Sizes are long, and a pointer that may be NULL says so. Nothing here has a state. */

#include <float.h>
#include <math.h>
#include "vectors.h"
#include "functions.h"
#include "product.h"
#include "elementwise.h"
#include "reductions.h"
#include "recurrent.h"
#include "rnn.h"
#include "lstm.h"
#include "gru.h"
#include "layers.h"
#include "normalise.h"
#include "losses.h"
#include "updates.h"
